// Before any date is made: the zone is read once.
process.env['TZ'] = 'America/New_York';

import { createHash } from 'node:crypto';
import { ScheduleModule } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { v4 as uuidv4 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JsonPath, SessionsModule, SessionsTable } from '@app/sessions';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { ECTO } from '../tables/made-by/ecto.js';

const TABLE = {
  extraFields: { userId: { type: 'string' } },
  columns: {
    authTokenDigest: 'auth_token_digest',
    expiresAt: { name: 'expires_at', type: 'timestamp' },
    createdAt: { name: 'inserted_at', type: 'timestamp' },
    updatedAt: { name: 'updated_at', type: 'timestamp' },
    data: { type: 'jsonb' },
    userId: 'user_id',
  },
} as const;

class Salted extends SessionsTable({ ...TABLE, table: 'sessions', secretSalt: 'super-secret' }) {}
class Unsalted extends SessionsTable({ ...TABLE, table: 'sessions' }) {}
class NamesOnly extends SessionsTable({
  extraFields: TABLE.extraFields,
  columns: {
    authTokenDigest: 'auth_token_digest',
    expiresAt: 'expires_at',
    createdAt: 'inserted_at',
    updatedAt: 'updated_at',
    userId: 'user_id',
  },
}) {}

/** 64 URL-safe characters, as ecto_sessions makes them. */
const token = (letter: string): string => letter.repeat(62) + '-_';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** In winter, when New York is five hours behind; and the seven days that a session lives. */
const NOW = new Date('2026-01-15T12:00:00.000Z');
const after = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000);

it('this process is not in UTC', () => {
  expect(NOW.getTimezoneOffset()).toBe(300);
});

describe.each([
  ['salted digests', Salted, 'super-secret'],
  ['digests without a salt', Unsalted, ''],
  ['names of columns, and no types', NamesOnly, ''],
] as const)('PARITY 1.1, a table that ecto_sessions 0.3 wrote, with %s', (_title, table, salt) => {
  let database: TestDatabase;
  let module: TestingModule;
  let dataSource: DataSource;
  let now: Date;

  beforeEach(async () => {
    now = NOW;
    database = await createDatabase('postgres');
    const ecto = await new DataSource(database.options).initialize();
    for (const statement of ECTO.statements.postgres!) await ecto.query(statement);
    await ecto.destroy();
    module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, autoLoadEntities: true }),
        ScheduleModule.forRoot(),
        SessionsModule.forRoot({ clock: () => now, pruning: { atStart: false } }),
        SessionsModule.forFeature(table),
      ],
    }).compile();
    dataSource = module.get(getDataSourceToken());
    await module.init();
  });
  afterEach(async () => {
    await module.close();
    await database.drop();
  });

  const sessions = () => module.get<InstanceType<typeof Unsalted>>(table);

  /** A row as Ecto writes it: times in UTC with microseconds, and no zone. */
  const insert = async (letter: string, expiresAt: string | null, data: object = {}): Promise<string> => {
    const id = uuidv4();
    await dataSource.query(
      `INSERT INTO sessions (id, auth_token_digest, data, expires_at, user_id, inserted_at, updated_at)
         VALUES ($1, $2, $3, $4::timestamp, $5, '2026-01-10 08:09:10.123456', '2026-01-10 08:09:10.123456')`,
      [id, sha256(salt + token(letter)), JSON.stringify(data), expiresAt, `user ${letter}`],
    );
    return id;
  };
  const expiryOf = async (id: string): Promise<string> => {
    const [row] = await dataSource.query<[{ text: string }]>(
      'SELECT expires_at::text AS text FROM sessions WHERE id = $1',
      [id],
    );
    return row.text;
  };

  it('validates a session by its token, with its times in UTC and to the millisecond', async () => {
    const id = await insert('a', '2026-01-22 11:30:00.654321', { device: { name: 'iPhone' } });
    expect(await sessions().get({ authToken: token('a') })).toEqual({
      id,
      userId: 'user a',
      data: { device: { name: 'iPhone' } },
      expiresAt: new Date('2026-01-22T11:30:00.654Z'),
      isExpired: false,
      createdAt: new Date('2026-01-10T08:09:10.123Z'),
      updatedAt: new Date('2026-01-10T08:09:10.123Z'),
    });
  });

  it('is over at its end in UTC: not five hours later, nor earlier', async () => {
    await insert('a', '2026-01-15 12:00:00.001000');
    await insert('b', '2026-01-15 12:00:00.000000');
    await insert('c', '2026-01-15 11:59:59.999999');
    expect(await sessions().get({ authToken: token('a') }, { autoExtend: false })).toMatchObject({
      userId: 'user a',
    });
    for (const letter of ['b', 'c']) expect(await sessions().get({ authToken: token(letter) })).toBeNull();
  });

  it('knows no other token, and not a digest in a token’s place', async () => {
    await insert('a', null);
    expect(await sessions().get({ authToken: token('x') })).toBeNull();
    expect(await sessions().get({ authToken: sha256(salt + token('a')) })).toBeNull();
  });

  it('extends a session when that is due, and writes the new end in UTC', async () => {
    const id = await insert('a', '2026-01-18 12:00:00.000000');
    expect(await sessions().get({ authToken: token('a') })).toMatchObject({ expiresAt: after(7) });
    expect(await expiryOf(id)).toBe('2026-01-22 12:00:00');
    now = after(6.5);
    expect(await sessions().get({ authToken: token('a') })).toMatchObject({ expiresAt: after(13.5) });
    expect(await expiryOf(id)).toBe('2026-01-29 00:00:00');
  });

  it('leaves alone a session whose extension gains less than a day, to the microsecond', async () => {
    const id = await insert('a', '2026-01-21 12:00:00.000001');
    await sessions().get({ authToken: token('a') });
    expect(await expiryOf(id)).toBe('2026-01-21 12:00:00.000001');
  });

  it('lists, counts and filters its sessions', async () => {
    await insert('a', '2026-01-20 00:00:00.000000', { n: 1 });
    await insert('b', '2026-01-10 00:00:00.000000', { n: 2 });
    await insert('c', null, { n: 3 });
    const users = async (filters: object) => (await sessions().list(filters)).map(({ userId }) => userId).sort();
    expect(await users({})).toEqual(['user a', 'user c']);
    expect(await users({ status: 'expired' })).toEqual(['user b']);
    expect(await users({ status: 'all' })).toEqual(['user a', 'user b', 'user c']);
    expect(await users({ data: JsonPath(['n'], 3) })).toEqual(['user c']);
    expect(await sessions().count({ userId: 'user a' })).toBe(1);
  });

  it('creates, updates, ends and deletes sessions beside those of ecto_sessions', async () => {
    const id = await insert('a', null);
    const created = await sessions().create({ userId: 'new' });
    expect(await sessions().get({ authToken: created.authToken })).toEqual(created);
    expect(await sessions().update({ id }, { data: { seen: true } })).toMatchObject({
      data: { seen: true },
      userId: 'user a',
      updatedAt: NOW,
    });
    expect(await sessions().expire({ id })).toBe(true);
    expect(await expiryOf(id)).toBe('2026-01-15 12:00:00');
    expect(await sessions().delete({ id })).toBe(true);
    expect(await sessions().count()).toBe(1);
  });

  it('prunes what has ended in UTC, and nothing else', async () => {
    await insert('a', '2026-01-15 11:59:59.999999');
    await insert('b', '2026-01-15 12:00:00.001000');
    await insert('c', null);
    expect(await sessions().deleteExpired()).toBe(1);
    expect((await sessions().list()).map(({ userId }) => userId).sort()).toEqual(['user b', 'user c']);
  });
});
