import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { SessionsModule, SessionsTable, SessionsUnavailableError } from '@app/sessions';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

class Sessions extends SessionsTable({ rotation: true, lastUse: true }) {}

const servers = (['postgres', 'mariadb'] as const).filter((type) => inject(`${type}Url`) !== undefined);

/** What lets nobody read the table, and how many statements wait for it. */
const LOCK = {
  postgres: [
    'BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE',
    `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  ],
  mariadb: [
    'LOCK TABLES sessions WRITE',
    `SELECT count(*) AS n FROM information_schema.processlist WHERE db = database() AND state LIKE 'Waiting for table%'`,
  ],
} as const;

describe.each(servers)('an application whose table is locked, on %s', (type) => {
  let database: TestDatabase;
  let module: TestingModule;
  let other: DataSource;
  beforeEach(async () => {
    database = await createDatabase(type);
    const extra = type === 'postgres' ? { connectionTimeoutMillis: 2000 } : { connectTimeout: 2000 };
    module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type, url: database.url, autoLoadEntities: true, synchronize: true, extra }),
        SessionsModule.forRoot({ pruning: false, lookUps: { timeout: '1s' } }),
        SessionsModule.forFeature(Sessions),
      ],
    }).compile();
    await module.init();
    other = await new DataSource({ type, url: database.url, poolSize: 2 }).initialize();
  });
  afterEach(async () => {
    await other.destroy();
    await database.drop();
  });

  it('stops while it is, with look-ups under way and uses to write, and answers all of them', async () => {
    const [lock, countWaiting] = LOCK[type];
    const sessions = module.get(Sessions);
    const tokens = (await Promise.all(Array.from({ length: 20 }, () => sessions.create({})))).map(
      (one) => one.authToken,
    );
    await Promise.all(tokens.map((token) => sessions.authenticate(token)));
    const locking = other.createQueryRunner();
    await locking.query(lock);
    const asked = Promise.allSettled(tokens.map((token) => sessions.authenticate(token)));
    await vi.waitFor(async () => {
      const [row] = await other.query<{ n: unknown }[]>(countWaiting);
      expect(Number(row!.n)).toBeGreaterThan(0);
    }, UNTIL_IT_HANGS);

    // Nothing ends the lock before.
    await module.close();
    const unavailable = { status: 'rejected', reason: expect.any(SessionsUnavailableError) as Error };
    expect(await asked).toEqual(tokens.map(() => unavailable));
    await locking.release();
  });
});
