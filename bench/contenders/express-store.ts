import type { Contender } from '../contender.js';
import type { ExpressSession, ExpressStore } from '../peers.js';
import type { RowSql } from '../dataset.js';
import { signatureOf } from './signed-cookie.js';

/** What express-session stores of a session, as SQL. */
export function expressSessionSql(sql: RowSql): string {
  const cookie = `"cookie":{"originalMaxAge":604800000,"expires":"${new Date(Date.now() + 604_800_000).toISOString()}"`;
  return `concat('{${cookie},"httpOnly":true,"path":"/"},"userId":"', ${sql.user}, '"}')`;
}

/** The cookie of a session's id, as express-session signs it. */
export function expressSessionCookie(sid: string): string {
  return `connect.sid=${encodeURIComponent(`s:${sid}.${signatureOf(sid).replace(/=+$/, '')}`)}`;
}

/** `get` of a store of express-session, by the session's id, which it keeps in clear: nothing is digested. */
export function storeContender(store: ExpressStore, close: () => Promise<void>): Contender {
  return {
    validate: (sid) => get(store, sid),
    close,
  };
}

async function get(store: ExpressStore, sid: string): Promise<ExpressSession | null | undefined> {
  return new Promise((resolve, reject) => {
    store.get(sid, (error, session) => (error ? reject(error) : resolve(session)));
  });
}
