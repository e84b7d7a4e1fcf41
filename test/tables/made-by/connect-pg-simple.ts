import { createHmac, randomBytes } from 'node:crypto';
import { SessionsTable } from '@app/sessions';
import { utcText } from './made-by.js';
import type { NotOpened } from './not-opened.js';

/** connect-pg-simple 10, its `table.sql`. */
export const CONNECT_PG_SIMPLE: NotOpened = {
  tool: 'connect-pg-simple',
  table: class ExpressSessions extends SessionsTable({
    table: 'session',
    columns: { id: 'sid', data: 'sess', expiresAt: 'expire' },
  }) {},
  statements: {
    postgres: [
      `CREATE TABLE "session" (
         "sid" varchar NOT NULL COLLATE "default",
         "sess" json NOT NULL,
         "expire" timestamp(6) NOT NULL
       )
       WITH (OIDS=FALSE)`,
      'ALTER TABLE "session" ADD CONSTRAINT "session_pkey" PRIMARY KEY ("sid") NOT DEFERRABLE INITIALLY IMMEDIATE',
      'CREATE INDEX "IDX_session_expire" ON "session" ("expire")',
    ],
  },
  missing: ['authTokenDigest', 'createdAt', 'updatedAt'],
  copied: {
    from: { table: 'session', token: 'sid', user: `sess ->> 'userId'`, end: 'expire' },
    cookie: 'connect.sid',
    signIn({ expiresAt }) {
      const sid = randomBytes(24).toString('base64url');
      const signature = createHmac('sha256', 'secret').update(sid).digest('base64').replace(/=+$/, '');
      const sess = { cookie: { path: '/', httpOnly: true, originalMaxAge: null }, userId: 'ann' };
      return {
        sent: encodeURIComponent(`s:${sid}.${signature}`),
        row: { sid, sess: JSON.stringify(sess), expire: utcText(expiresAt) },
      };
    },
  },
};
