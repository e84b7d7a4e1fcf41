import { randomBytes } from 'node:crypto';
import { SessionsTable } from '@app/sessions';
import { utcText } from './made-by.js';
import type { NotOpened } from './not-opened.js';
import { mysqlAlike } from '../../support/databases.js';

/** Lucia 3, the schemas of its page on each database. */
export const LUCIA: NotOpened = {
  tool: 'Lucia',
  table: class LuciaSessions extends SessionsTable({
    table: 'user_session',
    extraFields: { userId: { type: 'text' } },
    columns: { userId: 'user_id', expiresAt: 'expires_at' },
  }) {},
  statements: mysqlAlike({
    postgres: [
      'CREATE TABLE auth_user (id TEXT PRIMARY KEY)',
      `INSERT INTO auth_user VALUES ('ann')`,
      `CREATE TABLE user_session (
         id TEXT PRIMARY KEY,
         expires_at TIMESTAMPTZ NOT NULL,
         user_id TEXT NOT NULL REFERENCES auth_user(id)
       )`,
    ],
    mariadb: [
      'CREATE TABLE user (id VARCHAR(255) PRIMARY KEY)',
      `INSERT INTO user VALUES ('ann')`,
      `CREATE TABLE user_session (
         id VARCHAR(255) PRIMARY KEY,
         expires_at DATETIME NOT NULL,
         user_id VARCHAR(255) NOT NULL REFERENCES user(id)
       )`,
    ],
    sqlite: [
      'CREATE TABLE user (id TEXT NOT NULL PRIMARY KEY)',
      `CREATE TABLE user_session (
         id TEXT NOT NULL PRIMARY KEY,
         expires_at INTEGER NOT NULL,
         user_id TEXT NOT NULL,
         FOREIGN KEY (user_id) REFERENCES user(id)
       )`,
    ],
  }),
  missing: ['authTokenDigest', 'data', 'createdAt', 'updatedAt'],
  copied: {
    from: { table: 'user_session', token: 'id', user: 'user_id', end: 'expires_at' },
    cookie: 'auth_session',
    signIn({ expiresAt }) {
      const id = randomBytes(20).toString('hex');
      return { sent: id, row: { id, user_id: 'ann', expires_at: utcText(expiresAt) } };
    },
  },
};
