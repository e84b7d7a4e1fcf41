import { type MigrationInterface, type QueryRunner, Table } from 'typeorm';
import { integerType } from '../column-types.js';

/** The daily numbers of created and deleted sessions. */
export class AddDailyCounts1767398400000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const integer = integerType(queryRunner);
    await queryRunner.createTable(
      new Table({
        name: 'daily_counts',
        columns: [
          { name: 'day', type: 'varchar', length: '10', isPrimary: true },
          { name: 'created', ...integer },
          { name: 'pruned', ...integer },
        ],
      }),
      true,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('daily_counts', true);
  }
}
