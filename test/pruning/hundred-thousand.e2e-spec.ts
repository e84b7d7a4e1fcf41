import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createDatabase,
  type DatabaseName,
  describeDatabases,
  mysqlAlike,
  type TestDatabase,
} from '../support/databases.js';
import { NOW, PruningApp } from './pruning-app.js';

const EXPIRED = 100_000;
const VALID = 20;

/** Makes a connection fail where it would wait for a lock; 0 is no limit to PostgreSQL. */
const NEVER_WAIT: Record<DatabaseName, string> = mysqlAlike({
  sqlite: 'PRAGMA busy_timeout = 0',
  postgres: "SET lock_timeout = '1ms'",
  mariadb: 'SET SESSION innodb_lock_wait_timeout = 0',
});

describeDatabases('100,000 expired rows', (name) => {
  let database: TestDatabase;
  let pruning: PruningApp;
  let validating: PruningApp;
  beforeAll(async () => {
    database = await createDatabase(name);
    pruning = await PruningApp.prepare(database);
    let now = NOW.getTime();
    validating = await PruningApp.start(database, {
      pruning: false,
      synchronize: false,
      connection: name === 'sqlite' ? {} : { poolSize: 1 },
      // Every read gains time, and so writes.
      table: { extendSessionStaleTime: 0 },
      clock: () => new Date(now++),
    });
    // PostgreSQL's own cleaning of the table takes locks too, and is not what is shown here.
    if (name === 'postgres') await query(validating, 'ALTER TABLE sessions SET (autovacuum_enabled = false)');
    await query(validating, NEVER_WAIT[name]);
  });
  afterAll(async () => {
    await validating.close();
    await pruning.close();
    await database.drop();
  });

  it('are deleted in batches while another connection validates and extends sessions, none refused or delayed by locks', async () => {
    await pruning.addExpired(EXPIRED);
    // The first of them ends right after those that have expired.
    const created = Array.from({ length: VALID }, (_, i) =>
      validating.sessions.create({ expiresAt: new Date(NOW.getTime() + 60_000 + i) }, { extend: true }),
    );
    const sessions = await Promise.all(created);
    // Nest has one logger for the process: that of the application that was made last.
    const { logs } = validating;
    const isDone = (): boolean => logs.matching(/^Deleted .* in \d+ ms|failed/).length > 0;
    let batches = 0;
    pruning.queries.onQuery = (text) => void (/^(WITH .*)?DELETE /s.test(text) && batches++);

    await pruning.module.init();
    const seenAt = new Set<number>();
    for (let i = 0; !isDone(); i++) {
      const { id, authToken } = sessions[i % VALID]!;
      const session = await validating.sessions.authenticate(authToken);
      expect(session).toMatchObject({ id, isExpired: false });
      expect(session!.expiresAt!.getTime()).toBeGreaterThan(NOW.getTime() + 60_000 + VALID);
      seenAt.add(batches);
      // As between two requests: SQLite answers at once, and would leave the job no turn.
      await new Promise((resume) => setImmediate(resume));
    }

    expect(logs.matching(/^Deleted .* in \d+ ms|failed/)).toEqual([expect.stringMatching(/^Deleted 100,000 expired/)]);
    expect(batches).toBeGreaterThanOrEqual(EXPIRED / 5000);
    // The validations were spread over the run, not before or after it.
    expect(seenAt.size).toBeGreaterThan(10);
    expect(await pruning.left()).toBe(VALID);
  });
});

async function query(app: PruningApp, statement: string): Promise<void> {
  await app.module.get(DataSource).query(statement);
}
