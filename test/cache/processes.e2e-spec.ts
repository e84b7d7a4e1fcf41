import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { RedisChannel } from '@app/sessions';
import { cachesNotInUse } from '../../libs/sessions/src/registry/messages.js';
import { atOnce, inRounds } from '../races/rounds.js';
import { useCompiledLibrary } from '../support/compiled-library.js';
import { createDatabase, type DatabaseName } from '../support/databases.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { CachingProcess } from './support/caching-process.js';
import { CachingNode, type Sessions } from './support/nodes.js';

/** So long that nothing but the channel makes a process forget. */
const TTL = '1h';

/** Sessions under load, the first of which are revoked. */
const SESSIONS = 150;
const REVOKED = 100;

const NOT_IN_USE = cachesNotInUse('');
const POLL = { interval: 10 };

/** A channel that can be reached, and the database whose rows it tells of. */
interface Carrier {
  readonly title: string;
  readonly database: DatabaseName;
  /** None: that of the database. */
  readonly redisUrl?: string;
}

const carriers: Carrier[] = [];
const [postgresUrl, mariadbUrl, redisUrl] = [inject('postgresUrl'), inject('mariadbUrl'), inject('redisUrl')];
if (postgresUrl) carriers.push({ title: 'LISTEN and NOTIFY of PostgreSQL', database: 'postgres' });
if (redisUrl) carriers.push({ title: 'Redis', database: mariadbUrl ? 'mariadb' : 'postgres', redisUrl });

const libraryUrl = useCompiledLibrary();

describe.each(carriers)('near caches of two processes that hear of each other by $title', (carrier) => {
  const cleanUps: (() => unknown)[] = [];
  /** Between the other process and the channel, but not its rows. */
  let proxy: TcpProxy;
  let sessions: Sessions;
  let other: CachingProcess;
  beforeAll(async () => {
    const database = await createDatabase(carrier.database);
    cleanUps.push(() => database.drop());
    const redis = carrier.redisUrl === undefined ? undefined : new Redis(carrier.redisUrl);
    cleanUps.push(() => redis?.disconnect());
    const channel = redis && new RedisChannel(redis);
    const one = await CachingNode.start(database, { cache: { ttl: TTL, channel } });
    cleanUps.push(() => one.stop());
    ({ sessions } = one);
    const channelUrl = new URL(carrier.redisUrl ?? database.url);
    proxy = new TcpProxy({ host: channelUrl.hostname, port: Number(channelUrl.port || (redis ? 6379 : 5432)) });
    await proxy.open();
    cleanUps.push(() => proxy.cut());
    other = new CachingProcess({
      databaseUrl: database.url,
      databaseType: carrier.database,
      channelUrl: proxy.through(channelUrl.href),
      ttl: TTL,
      libraryUrl: libraryUrl(),
    });
    cleanUps.push(() => other.kill());
  });
  afterAll(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });

  /** A session that the other process has in its cache. */
  async function beginCached() {
    const session = await sessions.create({ userId: 'u1' });
    const hit = { accepted: true, statements: 0 };
    await expect.poll(() => other.look(session.authToken), POLL).toEqual(hit);
    return session;
  }

  /** Waits until each token of the load has been asked for, some times. */
  async function allAskedFor(): Promise<void> {
    const enough = (await other.seen()).requests + 10 * SESSIONS;
    await expect.poll(async () => (await other.seen()).requests, POLL).toBeGreaterThan(enough);
  }

  it('never accept a session whose revocation they have heard of, under load (ASVS 7.4.1)', async () => {
    await beginCached();
    const begun = await atOnce(SESSIONS, () => sessions.create({ userId: 'u1' }));
    await other.load(begun);
    onTestFinished(async () => void (await other.endLoad()));
    await allAskedFor();
    const revoked = begun.slice(0, REVOKED);
    await inRounds(REVOKED, async (i) => {
      await sessions.revoke(revoked[i]!);
      expect(await sessions.authenticate(revoked[i]!.authToken)).toBeNull();
    });
    await expect.poll(async () => (await other.seen()).refused.length, POLL).toBeGreaterThanOrEqual(REVOKED);
    await allAskedFor();
    const { stale, refused, heard, statements, requests } = await other.endLoad();
    expect(stale).toEqual([]);
    expect(refused.toSorted()).toEqual(revoked.map(({ id }) => id).toSorted());
    // Else it was the database that refused them.
    expect(heard.length).toBeGreaterThan(REVOKED / 2);
    expect(statements).toBeLessThan(requests / 2);
  });

  it('ask the database when they have noticed that they do not hear of each other, until they do again (ASVS 7.4.1)', async () => {
    const [unheard, unkept] = [await beginCached(), await beginCached()];
    const losses = other.logs.matching(NOT_IN_USE).length;
    await proxy.cut();
    await sessions.revoke(unheard);
    await other.logged(NOT_IN_USE, losses + 1);
    expect(await other.look(unheard.authToken)).toEqual({ accepted: false, statements: 1 });
    for (let i = 0; i < 2; i++) expect(await other.look(unkept.authToken)).toEqual({ accepted: true, statements: 1 });
    await sessions.revoke(unkept);
    expect(await other.look(unkept.authToken)).toEqual({ accepted: false, statements: 1 });

    await proxy.open();
    const heard = await beginCached();
    await sessions.revoke(heard);
    await expect.poll(async () => (await other.look(heard.authToken)).accepted, POLL).toBe(false);
  });
});
