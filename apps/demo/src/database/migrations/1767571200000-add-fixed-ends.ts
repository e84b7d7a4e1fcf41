import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';
import { booleanType } from '../column-types.js';

const TABLES = ['sessions', 'api_keys'];

/** The columns for ends that no use moves. A new database has them from the start. */
export class AddFixedEnds1767571200000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const name of TABLES) {
      if (await queryRunner.hasColumn(name, 'fixedEnd')) continue;
      const column = new TableColumn({ name: 'fixedEnd', ...booleanType(queryRunner), isNullable: true });
      await queryRunner.addColumn(name, column);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const name of TABLES) await queryRunner.dropColumn(name, 'fixedEnd');
  }
}
