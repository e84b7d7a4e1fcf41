import { createSessionsTable, dropSessionsTable } from '@app/sessions';
import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { ApiKeys } from '../../projects/api-keys.js';
import { Sessions } from '../../sessions/sessions.js';
import { uuidType } from '../column-types.js';

/** The tables of the demo: users and their sessions, projects and their keys. */
export class CreateDemo1767225600000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const uuid = uuidType(queryRunner);
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
