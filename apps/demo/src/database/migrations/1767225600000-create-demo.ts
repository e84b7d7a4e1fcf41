import { createSessionsTable, dropSessionsTable } from '@app/sessions';
import { type MigrationInterface, type QueryRunner, Table, type TableColumnOptions } from 'typeorm';
import { ApiKeys } from '../../projects/api-keys.js';
import { Sessions } from '../../sessions/sessions.js';

/** The tables of the demo: users and their sessions, projects and their keys. */
export class CreateDemo1767225600000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const uuid = uuidColumn(queryRunner);
    await queryRunner.createTable(
      new Table({
        name: 'users',
        columns: [
          { name: 'id', ...uuid, isPrimary: true },
          { name: 'email', type: 'varchar', length: '254' },
          { name: 'passwordHash', type: 'varchar', length: '255' },
        ],
        indices: [{ columnNames: ['email'], isUnique: true }],
      }),
      true,
    );
    await queryRunner.createTable(
      new Table({
        name: 'projects',
        columns: [
          { name: 'id', ...uuid, isPrimary: true },
          { name: 'name', type: 'varchar', length: '100' },
          { name: 'userId', ...uuid },
        ],
        indices: [{ columnNames: ['userId'] }],
        foreignKeys: [
          {
            columnNames: ['userId'],
            referencedTableName: 'users',
            referencedColumnNames: ['id'],
            onDelete: 'CASCADE',
            onUpdate: 'NO ACTION',
          },
        ],
      }),
      true,
    );
    await createSessionsTable(queryRunner, Sessions);
    await createSessionsTable(queryRunner, ApiKeys);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await dropSessionsTable(queryRunner, ApiKeys);
    await dropSessionsTable(queryRunner, Sessions);
    await queryRunner.dropTable('projects', true);
    await queryRunner.dropTable('users', true);
  }
}

/** The type of a UUID where the database has one, else that of its text, whose length MySQL wants to know. */
function uuidColumn({ dataSource: { driver } }: QueryRunner): Pick<TableColumnOptions, 'type' | 'length'> {
  const type = driver.normalizeType({ type: 'uuid' });
  return type === 'varchar' && driver.options.type !== 'better-sqlite3' ? { type, length: '36' } : { type };
}
