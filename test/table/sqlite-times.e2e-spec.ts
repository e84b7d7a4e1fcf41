import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestToken, SessionsConfigError, SessionsModule, SessionsTable } from '@app/sessions';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { at, DAY, HOUR, SECOND, START, TestClock } from '../support/clock.js';

class Sessions extends SessionsTable({ rotation: true, sessionTtl: '1d' }) {}

const TOKEN = `${'a'.repeat(62)}-_`;

const iso = (time: Date): string => time.toISOString();
const offset = (time: Date): string => iso(new Date(time.getTime() + 2 * HOUR)).replace('Z', '+02:00');

/** How programs write times, by what they are. */
const WRITERS: Readonly<Record<string, readonly [type: string, write: (time: Date) => unknown, read: RegExp]>> = {
  'milliseconds, as Prisma and MikroORM write them': ['DATETIME', (time) => time.getTime(), /^\d{13}$/],
  'seconds, as Drizzle and Lucia write them': ['INTEGER', (time) => Math.floor(time.getTime() / 1000), /^\d{10}$/],
  'text of ISO 8601, as JavaScript writes it': ['date', iso, /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/],
  'the same with an offset of zero': [
    'TEXT',
    (time) => iso(time).replace('Z', '+00:00'),
    /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}\+00:00$/,
  ],
  'text with a T, as Ecto writes it': ['TEXT', (time) => iso(time).slice(0, 19), /^\d{4}-\d\d-\d\dT[\d:]{8}$/],
  'text of whole seconds, as Laravel writes it': [
    'datetime',
    (time) => iso(time).slice(0, 19).replace('T', ' '),
    /^\d{4}-\d\d-\d\d [\d:]{8}$/,
  ],
  'text of microseconds, as Rails writes it': [
    'datetime(6)',
    (time) => `${iso(time).slice(0, -1).replace('T', ' ')}000`,
    /^\d{4}-\d\d-\d\d [\d:]{8}\.\d{6}$/,
  ],
};

const REFUSED: Readonly<Record<string, readonly ((time: Date) => unknown)[]>> = {
  'with offsets': [offset],
  'in several forms': [iso, (time) => time.getTime()],
  'that are numbers written as text': [(time) => String(time.getTime())],
};

describe('times in SQLite', () => {
  const clock = new TestClock();
  let database: TestDatabase;
  let file: InstanceType<typeof Database>;
  let module: TestingModule | undefined;

  beforeEach(async () => {
    clock.reset();
    database = await createDatabase('sqlite');
    file = new Database((database.options as { database: string }).database);
  });
  afterEach(async () => {
    await module?.close();
    module = undefined;
    file.close();
    await database.drop();
  });

  const table = (type: string): void => {
    file.exec(`CREATE TABLE sessions (id varchar PRIMARY KEY, authTokenDigest varchar(255) UNIQUE NOT NULL, data json DEFAULT '{}', previousTokenDigest varchar(255),
      ${['expiresAt', 'createdAt', 'updatedAt', 'rotatedAt'].map((name) => `${name} ${type}`).join(', ')}, fixedEnd boolean)`);
  };
  const row = (token: string, expiresAt: unknown, createdAt: unknown): void => {
    const id = `01890000-0000-7000-8000-${digestToken(token, { algorithm: 'sha256' }).slice(0, 12)}`;
    file
      .prepare('INSERT INTO sessions (id, authTokenDigest, expiresAt, createdAt, updatedAt) VALUES (?, ?, ?, ?, ?)')
      .run(id, digestToken(token, { algorithm: 'sha256' }), expiresAt, createdAt, createdAt);
  };
  const start = async (definition: typeof Sessions = Sessions): Promise<Sessions> => {
    module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, entities: [definition.entity], retryAttempts: 1 }),
        SessionsModule.forRoot({ clock: clock.read, pruning: false }),
        SessionsModule.forFeature(definition),
      ],
    }).compile();
    await module.init();
    return module.get(definition);
  };

  describe.each(Object.entries(WRITERS))('in %s', (_title, [type, write, written]) => {
    it('are read, compared and written so', async () => {
      table(type);
      row(TOKEN, write(at(HOUR)), write(at(-DAY)));
      row('b'.repeat(64), write(at(-HOUR)), write(at(-DAY)));
      row('c'.repeat(64), null, write(at(-DAY)));
      const sessions = await start();
      const ends = (await sessions.list({}, { order: { expiresAt: 'DESC' } })).map(({ expiresAt }) =>
        expiresAt?.getTime(),
      );
      expect(ends).toHaveLength(2);
      expect(START.getTime() + HOUR - ends[0]!).toBeLessThan(SECOND);
      expect(ends[1]).toBeUndefined();
      expect(await sessions.count({ status: 'expired' })).toBe(1);
      expect(await sessions.deleteExpired()).toBe(1);
      const extended = await sessions.authenticate(TOKEN);
      expect(extended!.expiresAt!.getTime()).toBeGreaterThan(at(DAY - SECOND).getTime());
      const created = await sessions.create({});
      expect(await sessions.get({ authToken: created.authToken })).toEqual(created);
      expect(await sessions.rotate(created)).not.toBeNull();
      const values = file.prepare('SELECT expiresAt FROM sessions WHERE expiresAt IS NOT NULL').pluck().all();
      for (const value of values) expect(String(value)).toMatch(written);
      expect(await sessions.revokeAll({})).toBe(3);
      expect(await sessions.count()).toBe(0);
    });
  });

  it.each(Object.entries(REFUSED))('%s are refused at the start', async (_title, writers) => {
    table('TEXT');
    for (const [i, write] of writers.entries()) row(String(i).repeat(64), write(at(HOUR)), write(START));
    await expect(start()).rejects.toThrow(SessionsConfigError);
    await expect(start()).rejects.toThrow(/columns\.expiresAt: its rows hold times in several forms/);
  });

  it('of which one is none are read in the form of the others', async () => {
    table('TEXT');
    row(TOKEN, iso(at(HOUR)), iso(START));
    row('b'.repeat(64), 'soon', iso(START));
    const sessions = await start();
    expect(await sessions.count()).toBe(1);
    expect(await sessions.authenticate(TOKEN)).not.toBeNull();
    expect(await sessions.authenticate('b'.repeat(64))).toBeNull();
  });

  it('in columns of integers need a form before there is a row', async () => {
    table('INTEGER');
    await expect(start()).rejects.toThrow(/form: 'seconds' or 'milliseconds'/);
    const seconds = { form: 'seconds' } as const;
    class Counted extends SessionsTable({
      rotation: true,
      columns: { expiresAt: seconds, createdAt: seconds, updatedAt: seconds, rotatedAt: seconds },
    }) {}
    const created = await (await start(Counted)).create({});
    expect(file.prepare('SELECT createdAt FROM sessions').pluck().get()).toBe(created.createdAt.getTime() / 1000);
  });
});
