import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type InvalidationChannel, RedisChannel } from '@app/sessions';
import { cachesNotInUse } from '../../libs/sessions/src/registry/messages.js';
import { createDatabase, type DatabaseName, type TestDatabase } from '../support/databases.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { CachingNode } from './support/nodes.js';

/** So long that nothing but an invalidation makes a node forget. */
const TTL = '1h';

/** What carries the invalidations of two nodes, and how to break the connections on which they are heard. */
interface Carrier {
  readonly title: string;
  readonly database: DatabaseName;
  /** A channel for a node; none: that of its database. */
  channel(): Promise<InvalidationChannel | undefined>;
  break(database: TestDatabase): Promise<void>;
  end(): Promise<void>;
}

const redisUrl = inject('redisUrl');
const ioClients: Redis[] = [];
const nodeClients: { destroy(): unknown }[] = [];

async function killRedisListeners(): Promise<void> {
  const admin = new Redis(redisUrl!);
  await admin.client('KILL', 'TYPE', 'pubsub');
  admin.disconnect();
}

const CARRIERS: readonly Carrier[] = [
  {
    title: 'LISTEN and NOTIFY of PostgreSQL',
    database: 'postgres',
    channel: async () => undefined,
    async break({ options }) {
      const admin = await new DataSource(options).initialize();
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid() AND datname = current_database()`,
      );
      await admin.destroy();
    },
    end: async () => undefined,
  },
  {
    title: 'ioredis, with PostgreSQL',
    database: 'postgres',
    async channel() {
      const client = new Redis(redisUrl!);
      ioClients.push(client);
      return new RedisChannel(client, 'test:ioredis');
    },
    break: killRedisListeners,
    end: async () => ioClients.splice(0).forEach((client) => client.disconnect()),
  },
  {
    title: 'node-redis, with MariaDB',
    database: 'mariadb',
    async channel() {
      const client = createClient({ url: redisUrl! });
      client.on('error', () => undefined);
      await client.connect();
      nodeClients.push(client);
      return new RedisChannel(client, 'test:node-redis');
    },
    break: killRedisListeners,
    end: async () => nodeClients.splice(0).forEach((client) => client.destroy()),
  },
];

const isThere = ({ title, database }: Carrier): boolean =>
  inject(database === 'postgres' ? 'postgresUrl' : 'mariadbUrl') !== undefined &&
  (redisUrl !== undefined || !title.includes('redis'));

describe.each(CARRIERS.filter(isThere))('near caches of two nodes that hear of each other by $title', (carrier) => {
  let database: TestDatabase;
  let one: CachingNode;
  let other: CachingNode;
  beforeAll(async () => {
    database = await createDatabase(carrier.database);
    const start = async () => CachingNode.start(database, { cache: { ttl: TTL, channel: await carrier.channel() } });
    one = await start();
    other = await start();
  });
  afterAll(async () => {
    await one.stop();
    await other.stop();
    await carrier.end();
    await database.drop();
  });

  /** A session that both nodes have in their cache. */
  async function beginCached(userId = 'u1') {
    const session = await one.sessions.create({ userId });
    for (const node of [one, other]) await node.until(session.authToken, true);
    return session;
  }

  it('refuse a session that the other one has revoked (ASVS 7.4.1)', async () => {
    const session = await beginCached();
    const kept = await beginCached('u2');
    await one.sessions.revoke(session);
    expect(await one.sessions.authenticate(session.authToken)).toBeNull();
    await other.untilRefused(session.authToken);
    expect(await other.isCaching(kept.authToken)).toBe(true);
  });

  it('refuse all of many sessions that the other one has revoked together', async () => {
    const tokens = [];
    for (let i = 0; i < 150; i++) tokens.push((await one.sessions.create({ userId: 'many' })).authToken);
    for (const token of tokens) await other.until(token, true);
    expect(await one.sessions.revokeAll({ userId: 'many' })).toBe(150);
    await other.untilRefused(tokens.at(-1)!);
    for (const token of tokens) expect(await other.sessions.authenticate(token)).toBeNull();
  });

  it('refuse a session whose revocation was committed with a transaction of the other one', async () => {
    const session = await beginCached();
    await one.dataSource.transaction((manager) => one.sessions.revoke(session, { manager }));
    expect(await one.sessions.authenticate(session.authToken)).toBeNull();
    await other.untilRefused(session.authToken);
  });

  it('ask the database when they no longer hear of each other, until they do again', async () => {
    const session = await beginCached();
    await carrier.break(database);
    // Nest has one logger for all.
    await other.logs.next(cachesNotInUse(''), 2);
    await one.sessions.revoke(session);
    for (const node of [one, other]) expect(await node.sessions.authenticate(session.authToken)).toBeNull();
    const next = await beginCached();
    await other.sessions.revoke(next);
    await one.untilRefused(next.authToken);
  });
});

describe.runIf(inject('postgresUrl'))('a near cache whose channel is cut off', () => {
  const server = new URL(inject('postgresUrl')!);
  const proxy = new TcpProxy({ host: server.hostname, port: Number(server.port || 5432) });
  let database: TestDatabase;
  let nodes: CachingNode[] = [];
  beforeAll(async () => {
    database = await createDatabase('postgres');
    await proxy.open();
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    nodes = [];
  });
  afterAll(async () => {
    await proxy.cut();
    await database.drop();
  });

  it('is not used while nothing comes through, and starts empty when something does (ASVS 7.4.1)', async () => {
    const near = await CachingNode.start(database, { cache: { ttl: TTL } });
    const far = await CachingNode.start(database, { cache: { ttl: TTL }, url: proxy.through(database.url) });
    nodes = [near, far];
    const session = await near.sessions.create({ userId: 'u1' });
    await far.until(session.authToken, true);
    proxy.hold();
    await near.sessions.revoke(session);
    // Whatever it answers from its cache, it has stopped doing so before it could be asked this often.
    const look = async () => {
      const answer = far.sessions.authenticate(session.authToken).then((found) => found === null);
      const unanswered = new Promise<'unanswered'>((resolve) => setTimeout(resolve, 100, 'unanswered'));
      return Promise.race([answer, unanswered]);
    };
    await expect.poll(look).toBe('unanswered');
    proxy.release();
    await far.untilRefused(session.authToken);
  });
});
