import { createSessionsTable, dropSessionsTable } from '@app/sessions';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { SignUps } from '../../sessions/sign-ups.js';

/** The links of those who sign up. */
export class AddSignUps1767657600000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await createSessionsTable(queryRunner, SignUps);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await dropSessionsTable(queryRunner, SignUps);
  }
}
