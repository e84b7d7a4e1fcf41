import { createSessionsTable } from '@app/sessions';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Sessions } from '../../sessions/sessions.js';

/** The table in which the library records password changes. A new database has it from the start. */
export class AddMarks1767484800000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Everything else that it creates exists already, and stays as it is.
    await createSessionsTable(queryRunner, Sessions);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('nest_sessions_marks', true);
  }
}
