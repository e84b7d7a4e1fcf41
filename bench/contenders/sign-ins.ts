import { NestFactory } from '@nestjs/core';
import { createSessionsTable, type SessionsService, SessionsTable } from '../../libs/sessions/src/index.js';
import type { Database } from '../databases.js';
import type { Dataset, RowSql } from '../dataset.js';
import { fillBetterAuth, openBetterAuth } from './better-auth.js';
import { columnsOf, sessionsModules } from './nest-sessions.js';

/** Sessions that an owner may have at once. */
export const LIMIT = 5;

const COMMON = { extraFields: { userId: { type: 'string', index: true } }, revocation: true } as const;

class SignedIn extends SessionsTable({ ...COMMON, table: 'signed_in' }) {}
class Limited extends SessionsTable({ ...COMMON, table: 'limited', sessionLimits: { userId: { max: LIMIT } } }) {}

/** Begins sessions of owners. */
export interface SignIns {
  signIn(userId: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Sessions of owners who sign in no more. */
const ofOthers = (sql: RowSql): Record<string, string> => ({ ...columnsOf(sql), userId: `concat('other-', n)` });

/** Makes the tables, as large as others: of an empty one databases learn that it is best read from its beginning to its end. */
export async function makeSignedIn(dataset: Dataset): Promise<void> {
  for (const table of [SignedIn, Limited]) {
    await dataset.fill(
      (runner) => createSessionsTable(runner, table),
      [{ table: table.definition.table!, rows: dataset.rows, columns: ofOthers }],
    );
  }
}

/** `signIn` of the service. @param limited whether sessions of the owner are counted, and the oldest ended */
export async function ownSignIns(database: Database, limited: boolean): Promise<SignIns> {
  const table = limited ? Limited : SignedIn;
  const root = { module: class {}, imports: sessionsModules(database, table) };
  const app = await NestFactory.createApplicationContext(root, { logger: ['error'], abortOnError: false });
  const sessions: SessionsService<SignedIn['fields']> = app.get(table);
  return {
    signIn: (userId) => sessions.signIn({ userId }),
    close: () => app.close(),
  };
}

/** What better-auth's sign-in does when it has proved the user: its own call for a new session. */
export async function betterAuthSignIns(dataset: Dataset): Promise<SignIns> {
  await fillBetterAuth(dataset);
  const { auth, close } = await openBetterAuth(dataset.database);
  const { internalAdapter } = await auth.$context;
  return { signIn: (userId) => internalAdapter.createSession(userId), close };
}
