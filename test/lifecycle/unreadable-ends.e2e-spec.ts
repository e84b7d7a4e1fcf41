import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { type FindOperator, MoreThan, Not } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionsTable, StaleSessionError } from '@app/sessions';
import { endUnreadable } from '../../libs/sessions/src/lifecycle/messages.js';
import { ofTable } from '../../libs/sessions/src/errors/messages.js';
import { type DatabaseName, describeDatabases, isMysql, mysqlAlike } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { runs } from '../support/runs.js';
import { useApplication } from '../support/application.js';
import { DAY, HOUR, MINUTE } from '../support/clock.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' }, dueAt: { type: 'timestamp', nullable: true } },
  absoluteTtl: '30d',
  ownLimits: true,
  revocation: true,
  rotation: true,
  freshness: true,
}) {}
/** Nothing but an end, which nobody else moves. */
class Plain extends SessionsTable({ table: 'plain', extraFields: { userId: { type: 'string' } } }) {}

const DECIDING = ['expiresAt', 'revokedAt', 'absoluteExpiresAt', 'authenticatedAt', 'createdAt'] as const;

/** What columns of times may hold that is none, as SQL. */
const UNREADABLE: Readonly<Record<DatabaseName, readonly string[]>> = mysqlAlike({
  postgres: ["'-infinity'"],
  mariadb: ["'0000-00-00 00:00:00'", "'2030-00-00 00:00:00'", "'2030-01-00 00:00:00'", "'2030-00-15 00:00:00'"],
  sqlite: [
    "'2020-01-01T00:00:00+02:00'",
    "'2099-01-01T00:00:00+02:00'",
    "'2099-01-01T00:00:00.000Z'",
    "'2099-01-01 00:00:00.000+02:00'",
    "'2099-02-30 00:00:00.000'",
    "'2099-01-01 24:00:00.000'",
    "'2099-13-01 00:00:00.000'",
    "'2099-01-01 00:00:00.'",
    "'2099-01-01'",
    "'soon'",
    "''",
    '4102444800000',
    '4102444800',
    '2461000.5',
    "x'ff'",
  ],
});

/** Other forms of times that each database can have. */
const READABLE: Readonly<Record<DatabaseName, readonly string[]>> = mysqlAlike({
  postgres: ["'infinity'", "'12345-01-01'", "'2099-01-01 00:00:00.123456'", "'0044-03-15 BC'"],
  mariadb: [
    "'2099-01-01 00:00:00'",
    "'0001-01-01 00:00:00'",
    "'9999-12-31 23:59:59.999'",
    // By a mode of the server any month may have 31 days.
    "'2099-02-30 00:00:00'",
  ],
  sqlite: ["'2099-01-01 00:00:00'", "'2099-01-01 00:00:00.123456'", "'2099-01-01 00:00:00.1'", "'0001-01-01 00:00:00'"],
});

describeDatabases('a time in a row that another program wrote', (name) => {
  const logs = new LogCapture();
  const app = useApplication(name, { tables: [Sessions, Plain], options: { defaultTable: 'sessions' } });
  beforeAll(() => Logger.overrideLogger(logs));
  afterAll(() => Logger.overrideLogger(false));
  const sessions = () => app.get(Sessions);

  beforeAll(async () => {
    for (const table of ['sessions', 'plain']) {
      for (const column of ['createdAt', 'updatedAt']) await letBeNull(table, column, 'datetime(3)');
      await letBeNull(table, 'data', 'json');
    }
  });

  /** A column that may be null in the database, though not in the definition. */
  async function letBeNull(table: string, column: string, type: string): Promise<void> {
    const { dataSource } = app;
    const [quoted, name_] = [app.quoted(table), app.quoted(column)];
    if (name === 'postgres') await dataSource.query(`ALTER TABLE ${quoted} ALTER COLUMN ${name_} DROP NOT NULL`);
    else if (isMysql(name)) await dataSource.query(`ALTER TABLE ${quoted} MODIFY ${name_} ${type} NULL`);
    else {
      // Without any constraint, nor a key.
      await dataSource.query(`CREATE TABLE copied AS SELECT * FROM ${quoted}`);
      await dataSource.query(`DROP TABLE ${quoted}`);
      await dataSource.query(`ALTER TABLE copied RENAME TO ${quoted}`);
    }
  }

  /** Writes what no program of ours would. */
  async function put(id: string, values: Readonly<Record<string, string>>, table = 'sessions'): Promise<void> {
    const set = Object.entries(values).map(([column, value]) => `${app.quoted(column)} = ${value}`);
    const runner = app.dataSource.createQueryRunner();
    try {
      if (isMysql(name)) await runner.query(`SET sql_mode = 'ALLOW_INVALID_DATES'`);
      await runner.query(`UPDATE ${app.quoted(table)} SET ${set.join(', ')} WHERE id = '${id}'`);
      if (isMysql(name)) await runner.query('SET sql_mode = DEFAULT');
    } finally {
      await runner.release();
    }
  }

  const warnings = (): string[] => logs.matching(/cannot be read as a time/);
  let hours = 0;
  beforeEach(() => {
    logs.lines.length = 0;
    // The next warning is due.
    app.clock.advance(++hours * HOUR);
  });

  /** What each way to ask says of a session: all the same. */
  async function isValid(session: { readonly id: string; readonly authToken: string }): Promise<boolean> {
    const { id, authToken } = session;
    const [found, together, list, got, count, all] = [
      await sessions().authenticate(authToken, { autoExtend: false }),
      await Promise.all(Array.from({ length: 9 }, () => sessions().authenticate(authToken, { autoExtend: false }))),
      await sessions().list({ id }),
      await sessions().get({ id }, { autoExtend: false }),
      await sessions().count({ id, status: 'valid' }),
      await sessions().list({ id, status: 'all' }),
    ];
    const answers = [found !== null, list.length > 0, got !== null, count > 0, !all[0]!.isExpired];
    const different = new Set([...answers, ...together.map((it) => it !== null)]);
    expect(different.size, `answers ${answers.join()} of ${JSON.stringify(all[0])}`).toBe(1);
    const shown = [...list, ...all, ...together, found, got].flatMap((it) => Object.values(it ?? {}));
    const times = shown.filter((value) => value instanceof Date);
    expect(times.map((time) => time.getTime())).not.toContain(NaN);
    return found !== null;
  }

  describe.each(DECIDING)('of %s', (column) => {
    it.each(UNREADABLE[name])('that is %s is over, and told of once', async (value) => {
      const session = await sessions().create({ userId: 'u1' });
      const other = await sessions().create({ userId: 'u1' });
      await put(session.id, { absoluteExpiresAt: 'NULL', authenticatedAt: 'NULL', [column]: value });
      expect(await isValid(session)).toBe(false);
      expect(warnings()).toEqual([`${ofTable('sessions', endUnreadable(column, session.id))} SessionsModule`]);
      expect(await isValid(other)).toBe(true);
      app.clock.advance(MINUTE);
      await isValid(session);
      expect(warnings()).toHaveLength(2);
    });
  });

  it.each([...UNREADABLE[name], 'NULL'])(
    'that is %s is not later than another, and only of null is that unknown',
    async (value) => {
      const { id } = await sessions().create({ userId: 'u1' });
      await put(id, { expiresAt: value });
      const count = (expiresAt: FindOperator<Date>): Promise<number> =>
        sessions().count({ id, status: 'all', expiresAt });
      expect(await count(MoreThan(app.clock.now))).toBe(0);
      expect(await count(Not(MoreThan(app.clock.now)))).toBe(value === 'NULL' ? 0 : 1);
    },
  );

  it('that is null where there has to be one is over, if an absolute limit counts from it', async () => {
    const session = await sessions().create({ userId: 'u1' });
    await put(session.id, { absoluteExpiresAt: 'NULL', authenticatedAt: 'NULL', createdAt: 'NULL' });
    expect(await isValid(session)).toBe(false);
    expect(warnings()).toHaveLength(1);
    const unlimited = await app.get(Plain).create({ userId: 'u1' });
    await put(unlimited.id, { createdAt: 'NULL', updatedAt: 'NULL' }, 'plain');
    const found = await app.get(Plain).authenticate(unlimited.authToken);
    expect([found?.createdAt, found?.updatedAt]).toEqual([expect.any(Date), expect.any(Date)]);
    expect(await app.get(Plain).count()).toBe(1);
    expect(warnings()).toHaveLength(1);
  });

  it('in no way that is not a time, and no order of calls, is valid to one of them and over to another', async () => {
    const values = [
      ...UNREADABLE[name],
      ...READABLE[name],
      'NULL',
      at(-HOUR),
      at(-1),
      at(0),
      at(1),
      at(HOUR),
      at(60 * DAY),
    ];
    const row = fc.record(
      Object.fromEntries(
        [...DECIDING, 'updatedAt'].map((column) => [column, fc.option(fc.constantFrom(...values), { freq: 2 })]),
      ),
    );
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(row, async (given) => {
        const session = await sessions().create({ userId: 'u1' });
        const values = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== null);
        if (values.length > 0) await put(session.id, Object.fromEntries(values));
        const [found] = await sessions().list({ id: session.id, status: 'all' });
        // Who is late sees a session refused that a call ended, though its end is still to come.
        fc.pre(!(found!.expiresAt && found!.expiresAt <= found!.updatedAt && found!.expiresAt > app.clock.now));
        const valid = await isValid(session);
        await sessions().deleteExpired();
        const left = await sessions().count({ id: session.id, status: 'all' });
        expect(left).toBeGreaterThanOrEqual(Number(valid));
        kept += Number(valid);
      }),
      { numRuns: runs(300) },
    );
    expect(kept).toBeGreaterThan(5);
    expect(kept).toBeLessThan(runs(300));
  });

  /** A time from the start of the clock, as each database writes it. */
  function at(ms: number): string {
    return `'${new Date(app.clock.now.getTime() + ms).toISOString().replace('T', ' ').slice(0, -1)}'`;
  }

  it('is an error of nobody who works on its session', async () => {
    const session = await sessions().create({ userId: 'u1' });
    await put(session.id, { expiresAt: UNREADABLE[name][0]! });
    const [read] = await sessions().list({ status: 'all' });
    const tomorrow = new Date(app.clock.now.getTime() + DAY);
    await expect(sessions().update(read!, { expiresAt: tomorrow })).rejects.toThrow(StaleSessionError);
    expect(await sessions().revoke(read!)).toBe(false);
    await expect(sessions().refresh(read!)).rejects.toThrow(StaleSessionError);
    expect(await sessions().delete(read!)).toBe(true);
  });

  it.runIf(name !== 'postgres')('and sorts after all others leaves its row to the application', async () => {
    const session = await sessions().create({ userId: 'u1' });
    await put(session.id, { expiresAt: name === 'sqlite' ? "'2099-01-01T00:00:00Z'" : "'2030-00-15 00:00:00'" });
    expect(await isValid(session)).toBe(false);
    await sessions().deleteExpired();
    expect(await sessions().count({ id: session.id, status: 'all' })).toBe(1);
  });

  it.runIf(name === 'postgres')('that is infinity is no end', async () => {
    const session = await sessions().create({ userId: 'u1' });
    await put(session.id, { expiresAt: "'infinity'", absoluteExpiresAt: "'infinity'" });
    expect(await isValid(session)).toBe(true);
    app.clock.advance(365 * DAY);
    expect(await isValid(session)).toBe(true);
    const found = (await sessions().authenticate(session.authToken))!;
    expect(found.expiresAt).toBeNull();
    expect((await sessions().update(found, { userId: 'u2' })).userId).toBe('u2');
    expect(await sessions().refresh(found)).toMatchObject({ expiresAt: null });
    const rotated = await sessions().rotate(found);
    const again = await sessions().reauthenticate(rotated!);
    expect(await sessions().authenticate(again.authToken)).toMatchObject({ expiresAt: null });
    expect(await sessions().revoke(again)).toBe(true);
    expect(await isValid(again)).toBe(false);
    expect(warnings()).toEqual([]);
  });

  it.runIf(isMysql(name))('is over too where the database has no null for it', async () => {
    await app.dataSource.query('ALTER TABLE plain MODIFY expiresAt datetime(3) NOT NULL');
    const session = await app.get(Plain).create({ userId: 'u1' });
    await put(session.id, { expiresAt: "'0000-00-00 00:00:00'" }, 'plain');
    expect(await app.get(Plain).authenticate(session.authToken)).toBeNull();
    expect(await app.get(Plain).count()).toBe(0);
    expect(await app.get(Plain).count({ status: 'expired' })).toBe(1);
  });

  it('that the application reads of its own field is always a date', async () => {
    for (const value of [...UNREADABLE[name], ...READABLE[name]]) {
      const session = await sessions().create({ userId: 'u1' });
      await put(session.id, { dueAt: value });
      const { dueAt } = (await sessions().authenticate(session.authToken))!;
      expect({ value, ms: dueAt!.getTime() }).not.toEqual({ value, ms: NaN });
    }
  });

  it('has nothing to do with data that is null, which is empty', async () => {
    const session = await sessions().create({ userId: 'u1', data: { device: 'phone' } });
    await put(session.id, { data: 'NULL' });
    expect((await sessions().authenticate(session.authToken))!.data).toEqual({});
    expect(await sessions().dataOf(session)).toEqual({});
    expect((await sessions().list())[0]!.data).toEqual({});
  });
});
