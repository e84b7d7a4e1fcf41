import { setTimeout } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { PostgresChannel, SessionsConfigError } from '@app/sessions';
import { NOTIFICATIONS_UNHEARD, poolTooSmall } from '../../libs/sessions/src/cache/messages.js';
import { cachesNotInUse } from '../../libs/sessions/src/registry/messages.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { type PgBouncer, startPgBouncer } from '../support/pgbouncer.js';
import { CachingNode, type NodeOptions } from './support/nodes.js';

/** So long that nothing but an invalidation makes a node forget. */
const TTL = '1h';

const [postgresUrl, pgbouncer] = [inject('postgresUrl'), inject('pgbouncer')];
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function start(database: TestDatabase, options: NodeOptions): Promise<CachingNode> {
  const node = await CachingNode.start(database, options);
  cleanUps.push(() => node.stop());
  return node;
}

/** A data source that goes straight to the server, with one connection. */
async function goStraight({ url }: TestDatabase): Promise<DataSource> {
  const direct = await new DataSource({ type: 'postgres', url, poolSize: 1 }).initialize();
  cleanUps.push(() => direct.destroy());
  return direct;
}

describe.runIf(postgresUrl && pgbouncer)('near caches behind PgBouncer', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase('postgres');
  });
  afterAll(async () => {
    await database.drop();
  });

  /** Two nodes whose data sources go by way of the pooler. */
  async function startBehind(mode: 'session' | 'transaction', channel: () => Promise<PostgresChannel | undefined>) {
    const pooler: PgBouncer = await startPgBouncer(pgbouncer!, postgresUrl!, mode);
    cleanUps.push(() => pooler.stop());
    const url = pooler.through(database.url);
    const startOne = async () =>
      start(database, { cache: { ttl: TTL, channel: await channel() }, url, preparedStatements: false });
    return [await startOne(), await startOne()] as const;
  }

  /** Whether the other one refuses a session as soon as one has revoked it, though it had it in its cache. */
  async function hearOfEachOther(one: CachingNode, other: CachingNode): Promise<boolean> {
    const { id, authToken } = await one.sessions.create({ userId: 'u1' });
    for (const node of [one, other]) await node.until(authToken, true);
    await one.sessions.revoke({ id });
    await other.untilRefused(authToken);
    return (await one.sessions.authenticate(authToken)) === null;
  }

  it('are not used where it pools transactions, so that nothing is heard, and a warning says the way out (ASVS 7.4.1)', async () => {
    const [one, other] = await startBehind('transaction', async () => undefined);
    const session = await one.sessions.create({ userId: 'u1' });
    const { level, text } = await other.logs.next(cachesNotInUse(''));
    expect([level, text]).toEqual(['warn', expect.stringContaining(NOTIFICATIONS_UNHEARD)]);
    expect(await other.isCaching(session.authToken)).toBe(false);
    await one.sessions.revoke(session);
    expect(await other.sessions.authenticate(session.authToken)).toBeNull();
  });

  it('hear of each other where it pools transactions, and they listen past it', async () => {
    const nodes = await startBehind('transaction', async () => new PostgresChannel(await goStraight(database)));
    expect(await hearOfEachOther(...nodes)).toBe(true);
  });

  it('hear of each other where it pools sessions', async () => {
    expect(await hearOfEachOther(...(await startBehind('session', async () => undefined)))).toBe(true);
  });

  it('give back the connection that they listen on past it', async () => {
    const direct = await goStraight(database);
    const node = await CachingNode.start(database, { cache: { ttl: TTL, channel: new PostgresChannel(direct) } });
    const { authToken } = await node.sessions.create({ userId: 'u1' });
    await node.until(authToken, true);
    await node.stop();
    expect(await direct.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe.runIf(postgresUrl)('near caches that share the pool of their tables', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase('postgres');
  });
  afterAll(async () => {
    await database.drop();
  });

  it('are used on while the application has all its other connections', async () => {
    const node = await start(database, { cache: { ttl: TTL }, poolSize: 3 });
    const { authToken } = await node.sessions.create({ userId: 'u1' });
    await node.until(authToken, true);
    const runner = node.dataSource.createQueryRunner();
    await runner.connect();
    cleanUps.push(() => runner.release());
    // Longer than a node that does not hear itself uses its cache.
    await setTimeout(3000);
    await expect.poll(() => node.isCaching(authToken)).toBe(true);
  });

  it('are not used while what they send goes nowhere, until it does again', async () => {
    const node = await start(database, { cache: { ttl: TTL } });
    const { authToken } = await node.sessions.create({ userId: 'u1' });
    await node.until(authToken, true);
    await node.dataSource.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE query LIKE 'SELECT pg_notify%' AND pid <> pg_backend_pid() AND datname = current_database()`,
    );
    await node.logs.next(cachesNotInUse(''));
    await node.until(authToken, true);
    expect(node.logs.matching(cachesNotInUse(''))).toHaveLength(1);
  });

  it.each([1, 2])('are refused at the start where there is none left for lookups, of %i', async (poolSize) => {
    const error = await start(database, { cache: { ttl: TTL }, poolSize }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionsConfigError);
    expect((error as Error).message).toContain(poolTooSmall(['to listen', 'to send', 'for lookups'], poolSize));
  });

  it('are refused at the start where they listen and send on one connection', async () => {
    const direct = await goStraight(database);
    const channel = new PostgresChannel(direct, { publishOn: direct });
    const starting = start(database, { cache: { ttl: TTL, channel } });
    await expect(starting).rejects.toThrow(poolTooSmall(['to listen', 'to send'], 1));
  });
});
