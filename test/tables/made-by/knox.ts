import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SessionGuard, SessionsTable } from '@app/sessions';
import { type MadeBy, utcText } from './made-by.js';
import { mysqlAlike } from '../../support/databases.js';

export class KnoxTokens extends SessionsTable({
  table: 'knox_authtoken',
  extraFields: {
    userId: { type: 'int', index: true },
    tokenKey: { type: 'string', length: 25, default: '' },
  },
  hashingAlgorithm: 'sha512',
  columns: {
    userId: 'user_id',
    tokenKey: 'token_key',
    authTokenDigest: 'digest',
    expiresAt: 'expiry',
    createdAt: 'created',
    updatedAt: 'updated',
  },
}) {}

@Injectable()
export class KnoxGuard extends SessionGuard {
  /** Clients send the header `Authorization: Token …`. */
  protected override extractCredentials({ headers }: Parameters<SessionGuard['extractCredentials']>[0]) {
    const token = /^Token +(\S+)$/.exec(String(headers['authorization']))?.[1];
    return token === undefined ? ({ kind: 'none' } as const) : ({ kind: 'one', token, source: 'bearer' } as const);
  }
}

/** django-rest-knox 5, by Django 5.2. */
export const KNOX: MadeBy = {
  tool: 'django-rest-knox',
  table: KnoxTokens,
  statements: mysqlAlike({
    postgres: [
      'CREATE TABLE "auth_user" ("id" integer NOT NULL PRIMARY KEY)',
      'INSERT INTO "auth_user" VALUES (7)',
      `CREATE TABLE "knox_authtoken" (
         "digest" varchar(128) NOT NULL PRIMARY KEY,
         "token_key" varchar(25) NOT NULL,
         "user_id" integer NOT NULL,
         "created" timestamp with time zone NOT NULL,
         "expiry" timestamp with time zone NULL
       )`,
      'ALTER TABLE "knox_authtoken" ADD CONSTRAINT "knox_authtoken_user_id_e5a5d899_fk_auth_user_id" FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED',
      'CREATE INDEX "knox_authtoken_digest_188c7e77_like" ON "knox_authtoken" ("digest" varchar_pattern_ops)',
      'CREATE INDEX "knox_authtoken_token_key_8f4f7d47" ON "knox_authtoken" ("token_key")',
      'CREATE INDEX "knox_authtoken_token_key_8f4f7d47_like" ON "knox_authtoken" ("token_key" varchar_pattern_ops)',
      'CREATE INDEX "knox_authtoken_user_id_e5a5d899" ON "knox_authtoken" ("user_id")',
    ],
    mariadb: [
      'CREATE TABLE `auth_user` (`id` integer NOT NULL PRIMARY KEY)',
      'INSERT INTO `auth_user` VALUES (7)',
      `CREATE TABLE \`knox_authtoken\` (
         \`digest\` varchar(128) NOT NULL PRIMARY KEY,
         \`token_key\` varchar(25) NOT NULL,
         \`user_id\` integer NOT NULL,
         \`created\` datetime(6) NOT NULL,
         \`expiry\` datetime(6) NULL
       )`,
      'ALTER TABLE `knox_authtoken` ADD CONSTRAINT `knox_authtoken_user_id_e5a5d899_fk_auth_user_id` FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)',
      'CREATE INDEX `knox_authtoken_token_key_8f4f7d47` ON `knox_authtoken` (`token_key`)',
    ],
  }),
  additions: mysqlAlike({
    postgres: [
      'ALTER TABLE knox_authtoken ADD id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE',
      'ALTER TABLE knox_authtoken ADD data json, ADD updated timestamptz NOT NULL DEFAULT now()',
    ],
    mariadb: [
      'ALTER TABLE knox_authtoken ADD id bigint NOT NULL AUTO_INCREMENT UNIQUE',
      'ALTER TABLE knox_authtoken ADD data json, ADD updated datetime(6) NOT NULL DEFAULT now(6)',
    ],
  }),
  signIn({ database, now, expiresAt }) {
    const token = randomBytes(32).toString('hex');
    const zone = database === 'postgres' ? '+00' : '';
    return {
      token,
      sent: { guard: KnoxGuard, authorization: `Token ${token}` },
      row: {
        digest: createHash('sha512').update(token).digest('hex'),
        token_key: token.slice(0, 15),
        user_id: 7,
        created: utcText(now, 6) + zone,
        expiry: utcText(expiresAt, 6) + zone,
        // What the default of the page gives, by the clock of the suite.
        updated: utcText(now, 6) + zone,
      },
    };
  },
  owner: { userId: 7 },
};
