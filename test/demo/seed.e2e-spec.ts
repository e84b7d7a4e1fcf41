import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runSeed } from '../../apps/demo/src/seed/command.js';
import { SEEDED_LOGIN } from '../../apps/demo/src/seed/people.js';
import { seed, seedIfNew } from '../../apps/demo/src/seed/seed.js';
import { DailyCount } from '../../apps/demo/src/statistics/daily-count.entity.js';
import { createDatabase, describeStorages, type TestDatabase } from '../support/databases.js';
import { DemoApp } from './support/demo-app.js';
import { Person } from './support/person.js';

const SESSIONS = 2000;
const DAY_MS = 86_400_000;

describeStorages('the seed', (name) => {
  let database: Pick<TestDatabase, 'url' | 'drop'>;
  let app: DemoApp;
  let token: string;
  const now = new Date();
  const progress: number[][] = [];
  beforeAll(async () => {
    database = name === 'memory' ? { url: 'memory:', drop: async () => {} } : await createDatabase(name);
    app = await DemoApp.start(database.url);
    await seed(app.storage, { sessions: SESSIONS, now, onProgress: (...told) => progress.push(told) });
    const { body } = await app.send('POST', '/api/login', { body: SEEDED_LOGIN });
    token = (body as { token: string }).token;
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  it('has as many sessions as it was asked for, of every status, and tells how far it is', async () => {
    const { body } = await app.send('GET', '/api/statistics');
    const { total, valid, expired, revoked } = body as Record<string, number>;
    expect(total).toBe(SESSIONS + 1);
    expect(Math.min(valid!, expired!, revoked!)).toBeGreaterThan(SESSIONS / 10);
    expect(progress.at(-1)).toEqual([SESSIONS, SESSIONS]);
  });

  it('goes back sixty days, has several reasons, and nothing that is still to come', async () => {
    const sessions = await app.sessions.list({ status: 'all' });
    const ages = sessions.map(({ createdAt }) => (now.getTime() - createdAt.getTime()) / DAY_MS);
    expect(Math.max(...ages)).toBeGreaterThan(50);
    expect(Math.max(...ages)).toBeLessThanOrEqual(60);
    const reasons = new Set(sessions.flatMap(({ revokedReason }) => revokedReason ?? []));
    expect(reasons.size).toBeGreaterThan(4);
    const seeded = sessions.filter(({ createdAt }) => createdAt <= now);
    const wrong = seeded.filter(
      ({ createdAt, lastUsedAt, revokedAt }) => lastUsedAt! < createdAt || lastUsedAt! > (revokedAt ?? now),
    );
    expect([seeded.length, wrong]).toEqual([SESSIONS, []]);
  });

  it('has counted each day of them', async () => {
    const { rows } = await app.storage.execute(app.storage.prepare('all', DailyCount));
    const sum = (name: string): number => rows!.reduce((total, row) => total + (row[name] as number), 0);
    expect(rows!.length).toBeGreaterThan(50);
    // Those that are left, those that the expiry job would have deleted, and the one who has just logged in.
    expect(sum('created')).toBeGreaterThan(SESSIONS);
    expect(sum('pruned')).toBeGreaterThan(SESSIONS / 10);
    expect(sum('pruned')).toBeLessThan(sum('created') - SESSIONS + 1);
  });

  it('lets nobody have more sessions than the demo does', async () => {
    const valid = await app.sessions.list({ status: 'valid' });
    const each = new Map<string, number>();
    for (const { userId } of valid) each.set(userId, (each.get(userId) ?? 0) + 1);
    expect(Math.max(...each.values())).toBe(10);
  });

  it('lets one log in, who has devices, activity, projects and keys', async () => {
    const get = async (path: string): Promise<object[]> => (await app.send('GET', path, { token })).body as object[];
    const sessions = await get('/api/account/sessions');
    expect(sessions.length).toBeGreaterThan(20);
    const devices = new Set(sessions.map((session) => JSON.stringify(Reflect.get(session, 'device'))));
    expect(devices.size).toBeGreaterThan(1);
    const times = (await get('/api/account/activity')).map((entry) => Reflect.get(entry, 'at') as string);
    expect(times.length).toBeGreaterThan(10);
    expect(times).toEqual(times.toSorted().toReversed());
    const [project] = (await get('/api/projects')) as { id: string }[];
    expect(await get(`/api/projects/${project!.id}/keys`)).not.toEqual([]);
  });
});

describe('the seed of a database that is in use', () => {
  let database: TestDatabase;
  let app: DemoApp;
  beforeEach(async () => {
    database = await createDatabase('sqlite');
    app = await DemoApp.start(database.url);
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  it('replaces what an earlier seed made, all of it', async () => {
    const { people } = await seed(app.storage, { sessions: 200 });
    expect(await seed(app.storage, { sessions: 100 })).toMatchObject({ sessions: 100, replaced: people });
    expect(await app.sessions.count({ status: 'all' })).toBe(100);
  });

  it('refuses one that has other people in it, unless it is told to add to them', async () => {
    const person = await Person.new(app);
    await expect(seed(app.storage, { sessions: 100 })).rejects.toThrow(
      'The database has users that no seed created (1): use --beside-others to add sample data beside them.',
    );
    expect(await app.sessions.count({ status: 'all' })).toBe(1);
    await seed(app.storage, { sessions: 100, besideOthers: true });
    expect(await app.sessions.count({ status: 'all' })).toBe(101);
    expect(await person.get('/api/me')).toMatchObject({ status: 200 });
  });

  it('comes by itself where the storage is a new one of our own, and at no other time', async () => {
    expect(await seedIfNew(app.storage, 'postgres://localhost/db')).toBe(false);
    expect(await seedIfNew(app.storage, database.url)).toBe(true);
    expect(await seedIfNew(app.storage, database.url)).toBe(false);
  });
});

describe('npm run seed', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase('sqlite');
    vi.stubEnv('DATABASE_URL', database.url);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await database.drop();
  });

  it('prints how far it is and who can log in, and no token, digest or hash', async () => {
    const lines: string[] = [];
    await runSeed(['--sessions', '6000'], (line) => lines.push(line));
    await runSeed(['--sessions', '50'], (line) => lines.push(line));
    expect(lines.map((line) => line.replaceAll(/[\d,.]+/g, '#'))).toEqual([
      '# of # sessions',
      '# of # sessions',
      'Done in # s: # people# Log in as ada@seed#example#com with the password "correct horse"#',
      '# of # sessions',
      'They replace those of an earlier seed# with its # people#',
      'Done in # s: # people# Log in as ada@seed#example#com with the password "correct horse"#',
    ]);
  });

  it.each([
    [['--sessions', 'all'], '--sessions must be a whole number of at least 1, not "all".'],
    [['--sesions', '1'], "Unknown option '--sesions'"],
  ])('says why it does nothing: %j', async (args, reason) => {
    await expect(runSeed(args, () => undefined)).rejects.toThrow(reason);
  });

  it('does nothing for a storage that ends with it', async () => {
    vi.stubEnv('DATABASE_URL', 'memory:');
    await expect(runSeed([], () => undefined)).rejects.toThrow('npm start adds sample data to it');
  });
});
