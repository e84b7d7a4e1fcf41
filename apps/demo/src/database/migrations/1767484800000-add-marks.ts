import { createSessionsTable } from '@app/sessions';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Sessions } from '../../sessions/sessions.js';

/** The table in which the library notes changes of passwords: a new database has it from the start. */
export class AddMarks1767484800000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // What else it makes is there, and left alone.
    await createSessionsTable(queryRunner, Sessions);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('nest_sessions_marks', true);
  }
}
