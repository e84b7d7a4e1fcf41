import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import {
  type BaseSession,
  SessionsConfigError,
  SessionsMetrics,
  SessionsTable,
  type TypeOrmAdapter,
} from '@app/sessions';
import { ofTable } from '../../libs/sessions/src/errors/messages.js';
import { MOST_PENDING } from '../../libs/sessions/src/lifecycle/last-use.js';
import { LAST_USE, notWritten, tooMany } from '../../libs/sessions/src/lifecycle/messages.js';
import { newId } from '../../libs/sessions/src/util/uuid.js';
import { LogCapture } from '../support/log-capture.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { createDatabase, describeDatabases } from '../support/databases.js';
import { QueryLog } from '../support/query-log.js';
import { planOf, StatementLog } from '../support/statement-log.js';
import { describeStorages, type TestApplication, useApplication } from '../support/application.js';
import { at, DAY, MINUTE } from '../support/clock.js';
import { DataSource } from 'typeorm';
import { digestOf } from '../support/digest.js';

class Sessions extends SessionsTable({ lastUse: { interval: '5m', ip: true, userAgent: true } }) {}
class Plain extends SessionsTable({ table: 'plain', lastUse: true }) {}
class Unused extends SessionsTable({ table: 'unused' }) {}

describeStorages('the last use of a session', (name) => {
  const app = useApplication(name, { tables: [Sessions, Plain, Unused], options: { defaultTable: 'sessions' } });
  const flush = () => app.get(SessionsRegistry).store(Sessions).lastUse!.flush();
  const stored = ({ id }: { id: string }) => app.get(Sessions).get({ id, status: 'all' }, { autoExtend: false });
  const use = { ip: '192.0.2.7', userAgent: 'Phone' };

  it('is written down, with the client, and nothing else is', async () => {
    const session = await app.get(Sessions).create({});
    expect(session).toMatchObject({ lastUsedAt: null, lastUsedIp: null, lastUsedUserAgent: null });
    app.clock.advance(MINUTE);
    await app.get(Sessions).authenticate(session.authToken, { use });
    await flush();
    const written = { lastUsedAt: at(MINUTE), lastUsedIp: '192.0.2.7', lastUsedUserAgent: 'Phone' };
    expect(await stored(session)).toEqual({ ...session, ...written });
  });

  it('is the sign-in at first, where that says from which request it comes', async () => {
    const request = { ip: '::ffff:192.0.2.7', headers: { 'user-agent': 'Phone' } };
    const session = await app.get(Sessions).signIn({}, { request });
    expect(session).toMatchObject({ lastUsedAt: at(0), lastUsedIp: '192.0.2.7', lastUsedUserAgent: 'Phone' });
    expect(await stored(session)).toEqual({ ...session });
    app.clock.advance(MINUTE);
    await app.get(Sessions).authenticate(session.authToken, { use: { ip: '192.0.2.8' } });
    await flush();
    expect(await stored(session)).toEqual({ ...session });
    expect(await app.get(Sessions).signIn({}, { request: { headers: {} } })).toMatchObject({
      lastUsedAt: at(MINUTE),
      lastUsedIp: null,
      lastUsedUserAgent: null,
    });
    const plain = await app.get(Plain).signIn({}, { request });
    expect(await app.get(Plain).get({ id: plain.id })).toEqual({ ...plain, lastUsedAt: at(MINUTE) });
  });

  it('is of no request that is none, and of no table that keeps none: nothing is written', async () => {
    for (const request of [{}, { headers: null }, 'request', null]) {
      const signingIn = app.get(Sessions).signIn({}, { request: request as never });
      await expect(signingIn).rejects.toMatchObject({
        errors: { request: expect.stringMatching('Express or Fastify') },
      });
    }
    const signingIn = app.get(Unused).signIn({}, { request: { headers: {} } });
    await expect(signingIn).rejects.toThrow(SessionsConfigError);
    await expect(signingIn).rejects.toThrow('table "unused": signIn() with a request needs lastUse');
    expect([await app.get(Sessions).count(), await app.get(Unused).count()]).toEqual([0, 0]);
  });

  it('has an IPv4 address as such, whatever the socket says', async () => {
    const session = await app.get(Sessions).create({});
    await app.get(Sessions).authenticate(session.authToken, { use: { ip: '::ffff:192.0.2.7' } });
    await flush();
    expect(await stored(session)).toMatchObject({ lastUsedIp: '192.0.2.7' });
  });

  it('is written at most once in the interval', async () => {
    const session = await app.get(Sessions).create({});
    for (const minute of [0, 1, 4, 5, 6]) {
      app.clock.now = at(minute * MINUTE);
      await app.get(Sessions).authenticate(session.authToken);
      await flush();
      expect((await stored(session))!.lastUsedAt).toEqual(at(minute < 5 ? 0 : 5 * MINUTE));
    }
  });

  it('is the latest one of those that are written together', async () => {
    const session = await app.get(Sessions).create({});
    for (const minute of [1, 2, 3]) {
      app.clock.now = at(minute * MINUTE);
      await app.get(Sessions).authenticate(session.authToken, { use: { ip: `192.0.2.${minute}`, userAgent: 'Phone' } });
    }
    await app.get(Sessions).authenticate(session.authToken, { use: { ip: '192.0.2.4' } });
    await flush();
    expect(await stored(session)).toMatchObject({
      lastUsedAt: at(3 * MINUTE),
      lastUsedIp: '192.0.2.4',
      lastUsedUserAgent: null,
    });
  });

  it('is never an earlier one than that which another node has written', async () => {
    const session = await app.get(Sessions).create({});
    await app.get(Sessions).authenticate(session.authToken, { use });
    const { adapter, entity } = app.get(SessionsRegistry).store(Sessions);
    const later = { lastUsedAt: at(MINUTE), lastUsedIp: '192.0.2.9' };
    await adapter.update(entity, later, { id: session.id });
    await flush();
    expect(await stored(session)).toMatchObject(later);
  });

  it('is written at most once in the interval by two nodes that have not heard of each other', async () => {
    const session = await app.get(Sessions).create({});
    const { lastUse } = app.get(SessionsRegistry).store(Sessions);
    lastUse!.record(session, use);
    await flush();
    app.clock.now = at(MINUTE);
    lastUse!.record(session, { ip: '192.0.2.8' });
    await flush();
    expect(await stored(session)).toMatchObject({ lastUsedAt: at(0), lastUsedIp: '192.0.2.7' });
  });

  it('is not written for a token that does not hold, nor for a session that has ended or is gone meanwhile', async () => {
    const [ended, gone] = [await app.get(Sessions).create({}), await app.get(Sessions).create({})];
    for (const { authToken } of [ended, gone]) await app.get(Sessions).authenticate(authToken);
    await app.get(Sessions).expire(ended);
    await app.get(Sessions).delete(gone);
    await app.get(Sessions).authenticate(ended.authToken);
    await flush();
    expect(await stored(ended)).toMatchObject({ lastUsedAt: null, expiresAt: at(0) });
    expect(await stored(gone)).toBeNull();
  });

  it('takes what a client says of itself as far as a column can hold it', async () => {
    const session = await app.get(Sessions).create({});
    await app
      .get(Sessions)
      .authenticate(session.authToken, { use: { ip: 'x'.repeat(99), userAgent: `\0\ud800${'y'.repeat(999)}` } });
    await flush();
    const { lastUsedIp, lastUsedUserAgent } = (await stored(session))!;
    expect([lastUsedIp, lastUsedUserAgent]).toEqual(['x'.repeat(45), `\ufffd${'y'.repeat(254)}`]);
  });

  it('needs no client', async () => {
    const session = await app.get(Plain).create({});
    await app.get(Plain).authenticate(session.authToken, { use });
    await app.get(SessionsRegistry).store(Plain).lastUse!.flush();
    expect(await app.get(Plain).get({ id: session.id })).toEqual({ ...session, lastUsedAt: at(0) });
  });

  it('does not hinder extensions, nor is it hindered by them', async () => {
    const session = await app.get(Sessions).create({});
    app.clock.advance(2 * DAY);
    await app.get(Sessions).authenticate(session.authToken);
    await flush();
    expect(await stored(session)).toMatchObject({ expiresAt: at(9 * DAY), lastUsedAt: at(2 * DAY) });
  });
});

/** So many sessions, of whose rows there are only the first. */
async function manySessions(app: TestApplication, count: number, rows = count): Promise<BaseSession[]> {
  const { adapter, entity } = app.get(SessionsRegistry).store(Sessions);
  const first = await app.get(Sessions).create({});
  const common = { data: {}, expiresAt: first.expiresAt, createdAt: at(0), updatedAt: at(0) };
  const others = Array.from({ length: count - 1 }, () => ({ ...common, id: newId(Date.now()) }));
  const inserted = others.slice(0, rows - 1).map((row) => ({ ...row, authTokenDigest: digestOf(`none-${row.id}`) }));
  await (adapter as TypeOrmAdapter).insertAll(entity, inserted);
  return [first, ...others].map((row) => ({ ...first, ...row }));
}

describeDatabases('writing the last use of sessions', (name) => {
  const queries = new QueryLog();
  const logs = new LogCapture();
  const app = useApplication(name, { tables: [Sessions], options: { coalesceLookUps: false } });
  beforeAll(() => Logger.overrideLogger(logs));
  afterAll(() => Logger.overrideLogger(undefined as never));
  beforeEach(() => {
    logs.lines.length = 0;
    app.dataSource.setOptions({ logger: queries });
  });
  const writing = () => app.get(SessionsRegistry).store(Sessions).lastUse!;
  const dropped = () => app.get(SessionsMetrics).all()[0]!.counters.lastUsesDropped;

  // On MySQL a transaction, which locks the rows that are free before it writes them.
  const perBatch = name === 'mysql' ? 6 : 1;

  it('takes at most 25 batches for 10,000 sessions from as many addresses', async () => {
    const sessions = await manySessions(app, 10_000);
    const addressOf = (i: number): string => `10.0.${i >> 8}.${i & 255}`;
    sessions.forEach((session, i) => writing().record(session, { ip: addressOf(i), userAgent: `Browser ${i}` }));
    expect(await queries.countOf(() => writing().flush())).toBeLessThanOrEqual(25 * perBatch);
    const stored = await app.get(Sessions).list({}, { take: 10_000 });
    const found = new Map(stored.map((session) => [session.id, [session.lastUsedIp, session.lastUsedUserAgent]]));
    expect(found).toEqual(new Map(sessions.map(({ id }, i) => [id, [addressOf(i), `Browser ${i}`]])));
  });

  it.runIf(name === 'postgres')('finds each row by its key, also in a table of which nothing is known', async () => {
    const log = new StatementLog();
    app.dataSource.setOptions({ logger: log });
    await app.dataSource.query('ALTER TABLE sessions SET (autovacuum_enabled = off)');
    const sessions = await manySessions(app, 2000);
    for (const session of sessions.slice(0, 500)) writing().record(session, {});
    await writing().flush();
    const update = log.sent.find(({ text }) => text.startsWith('UPDATE'))!;
    const plan = await planOf(name, app.dataSource, update);
    expect(plan).toMatch(/Index Scan using \S+ on sessions .*\n\s*Index Cond: \(id = v\.v\d+\)/);
    expect(plan).not.toContain('Seq Scan');
  });

  it('takes one batch for one session, however many clients it has', async () => {
    const session = await app.get(Sessions).create({});
    for (let i = 0; i < 3000; i++) writing().record(session, { userAgent: `Browser ${i}` });
    expect(await queries.countOf(() => writing().flush())).toBe(perBatch);
    expect(await app.get(Sessions).get({ id: session.id })).toMatchObject({ lastUsedUserAgent: 'Browser 2999' });
  });

  // What waits is kept by the process, whatever the database.
  it.runIf(name === 'sqlite')(
    'keeps so many that wait, counts those that it gives up, the first ones, and says so',
    async () => {
      const sessions = await manySessions(app, MOST_PENDING + 3, 5);
      const before = dropped();
      for (const session of sessions) writing().record(session, {});
      expect(dropped() - before).toBe(3);
      expect(logs.matching(ofTable('sessions', notWritten(LAST_USE, tooMany(MOST_PENDING))))).toHaveLength(1);
      await writing().flush();
      const unused = await app.get(Sessions).list({ lastUsedAt: null });
      expect(new Set(unused.map(({ id }) => id))).toEqual(new Set(sessions.slice(0, 3).map(({ id }) => id)));
    },
  );

  it('takes one batch for a hundred sessions, and none in the path of a request', async () => {
    const sessions = await Promise.all(Array.from({ length: 100 }, () => app.get(Sessions).create({})));
    const use = () => Promise.all(sessions.map(({ authToken }) => app.get(Sessions).authenticate(authToken)));
    expect(await queries.countOf(use)).toBe(100);
    expect(await queries.countOf(() => app.get(SessionsRegistry).store(Sessions).lastUse!.flush())).toBe(perBatch);
    expect(await app.get(Sessions).count({ lastUsedAt: app.clock.now })).toBe(100);
  });

  it('gives up what the database does not take, and says so', async () => {
    const session = await app.get(Sessions).create({});
    const { authToken } = session;
    await app.get(Sessions).authenticate(authToken);
    const before = dropped();
    // It is said once in a minute.
    app.clock.advance(2 * MINUTE);
    await app.dataSource.query(`DROP TABLE ${app.dataSource.driver.escape('sessions')}`);
    await expect(writing().flush()).resolves.toBeUndefined();
    expect(dropped() - before).toBe(1);
    expect(logs.matching(ofTable('sessions', notWritten(LAST_USE, '')))).not.toEqual([]);
    await app.dataSource.synchronize();
  });

  it('leaves nothing to migrate', async () => {
    const database = await createDatabase(name);
    const dataSource = new DataSource({ ...database.options, entities: [Sessions.entity], synchronize: true });
    await dataSource.initialize();
    expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
    await dataSource.destroy();
    await database.drop();
  });

  it('happens before the data source is closed', async () => {
    const session = await app.get(Sessions).create({});
    await app.get(Sessions).authenticate(session.authToken);
    await app.get(SessionsRegistry).beforeApplicationShutdown();
    expect(await app.get(Sessions).get({ id: session.id })).toMatchObject({ lastUsedAt: app.clock.now });
    // What is used from then on waits for nothing.
    const other = await app.get(Sessions).create({});
    await app.get(Sessions).authenticate(other.authToken);
    expect(await queries.countOf(() => writing().flush())).toBe(0);
  });
});

describe.runIf(inject('postgresUrl'))('stopping while the last use of many sessions waits for a slow database', () => {
  const app = useApplication('postgres', { tables: [Sessions] });

  it('waits for two seconds, gives up the rest, and sends nothing more', async () => {
    await app.dataSource.query(
      'CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.6); RETURN NULL; END $$',
    );
    await app.dataSource.query(
      'CREATE TRIGGER slowly BEFORE UPDATE ON sessions FOR EACH STATEMENT EXECUTE FUNCTION slowly()',
    );
    const sessions = await manySessions(app, 5000);
    const writing = app.get(SessionsRegistry).store(Sessions).lastUse!;
    const dropped = () => app.get(SessionsMetrics).all()[0]!.counters.lastUsesDropped;
    for (const session of sessions) writing.record(session, {});
    await app.get(SessionsRegistry).beforeApplicationShutdown();
    const atOnce = dropped();
    expect(atOnce).toBeGreaterThan(0);
    expect(atOnce).toBeLessThan(5000);
    // The statement under way is broken off, and what it was for is given up too.
    await writing.flush();
    expect(await app.get(Sessions).count({ lastUsedAt: null })).toBeLessThanOrEqual(dropped());
    const whenOver = dropped();
    expect(whenOver - atOnce).toBeLessThanOrEqual(500);
    await writing.flush();
    expect(dropped()).toBe(whenOver);
  });
});
