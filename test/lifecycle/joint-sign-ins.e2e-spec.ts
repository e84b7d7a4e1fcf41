import type { EntitySubscriberInterface } from 'typeorm';
import { beforeEach, describe, expect, it } from 'vitest';
import { type SessionEvent, SessionLimitError, SessionsTable, StaleCredentialsError } from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { SECOND } from '../support/clock.js';
import { describeDatabases } from '../support/databases.js';
import { QueryLog } from '../support/query-log.js';

const OWNERS = Array.from({ length: 24 }, (_, i) => `user ${i}`);
const max = 2;

const FIELDS = { extraFields: { userId: { type: 'string', index: true } }, revocation: true } as const;
class Limited extends SessionsTable({ ...FIELDS, table: 'limited', sessionLimits: { userId: { max } } }) {}
class Rejecting extends SessionsTable({
  ...FIELDS,
  table: 'rejecting',
  sessionLimits: { userId: { max, whenFull: 'reject' } },
}) {}
class Apart extends SessionsTable({
  ...FIELDS,
  table: 'apart',
  sessionLimits: { userId: { max } },
  coalesceWrites: false,
}) {}

const SETUP = { tables: [Limited, Rejecting, Apart], options: { defaultTable: 'limited' } };

const all = <T>(fn: (userId: string, i: number) => Promise<T>): Promise<T[]> => Promise.all(OWNERS.map(fn));

describeStorages('sign-ins of many owners at once', (name) => {
  const app = useApplication(name, SETUP);
  const limited = (): Limited => app.get(Limited);

  /** A session of each owner, for a place in an order of their own. */
  async function begin(sessions: { create: Limited['create'] } = limited()) {
    const begun = await all((userId) => sessions.create({ userId }));
    app.clock.advance(SECOND);
    return begun;
  }

  it('begin each session as it was asked for, and end the oldest of its owner alone', async () => {
    const [oldest, kept] = [await begin(), await begin()];
    const begun = await begin();
    const found = await Promise.all(begun.map(({ authToken }) => limited().authenticate(authToken)));
    expect(found).toEqual(begun.map((session) => ({ ...session })));
    expect((await limited().list({}, { take: 100 })).map(({ id }) => id).toSorted()).toEqual(
      [...kept, ...begun].map(({ id }) => id).toSorted(),
    );
    expect(await limited().count({ status: 'revoked', revokedReason: 'session_limit' })).toBe(oldest.length);
  });

  it('tell of each end once, and of the new session after it', async () => {
    await begin();
    await begin();
    const told: SessionEvent<{ userId: string }>[] = [];
    const listening = limited().events.subscribe((event) => told.push(event));
    await begin();
    listening.unsubscribe();
    for (const owner of OWNERS) {
      const own = told.filter((event) => 'session' in event && event.session?.userId === owner);
      expect(own.map(({ type }) => type)).toEqual(['revoked', 'created']);
    }
  });

  it('are refused where there is no room, and nowhere else', async () => {
    const sessions = app.get(Rejecting);
    for (let i = 0; i < max; i++) await sessions.create({ userId: OWNERS[5]! });
    const outcomes = await Promise.allSettled(OWNERS.map((userId) => sessions.create({ userId })));
    const refused = outcomes.flatMap((one, i) => (one.status === 'rejected' ? [[i, one.reason]] : []));
    expect(refused).toEqual([[5, expect.any(SessionLimitError)]]);
    expect(await sessions.count({ status: 'all' })).toBe(OWNERS.length - 1 + max);
  });

  it('are refused to whoever was proved before their credentials changed, and to nobody else', async () => {
    const provedAt = app.clock.read();
    app.clock.advance(2 * SECOND);
    await limited().revokeAll({ userId: OWNERS[7]! }, { reason: 'credentials_changed' });
    const outcomes = await Promise.allSettled(OWNERS.map((userId) => limited().signIn({ userId }, { provedAt })));
    const refused = outcomes.flatMap((one, i) => (one.status === 'rejected' ? [[i, one.reason]] : []));
    expect(refused).toEqual([[7, expect.any(StaleCredentialsError)]]);
    expect(await limited().count({ status: 'all' })).toBe(OWNERS.length - 1);
  });

  it('give each new session the place of the one that it replaces', async () => {
    const [replaced, kept] = [await begin(), await begin()];
    const begun = await all((userId, i) => limited().signIn({ userId }, { replaces: replaced[i] }));
    expect((await limited().list({}, { take: 100 })).map(({ id }) => id).toSorted()).toEqual(
      [...kept, ...begun].map(({ id }) => id).toSorted(),
    );
    expect(await limited().count({ status: 'revoked', revokedReason: 'superseded' })).toBe(OWNERS.length);
  });

  it('keep to the limit where some are of the same owner', async () => {
    const some = OWNERS.slice(0, 4);
    const begun = await all((_, i) => limited().create({ userId: some[i % some.length]! }));
    expect(new Set(begun.map(({ id }) => id)).size).toBe(OWNERS.length);
    for (const userId of some) expect(await limited().count({ userId })).toBe(max);
  });
});

describeDatabases('the statements of sign-ins at once', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, SETUP);
  beforeEach(() => {
    app.dataSource.setOptions({ logger: queries });
  });

  // On SQLite nothing is gained by sending several as one.
  const isServer = name !== 'sqlite';

  // MySQL has no statement that waits for no lock.
  it.runIf(isServer && name !== 'mysql')('are fewer than those of each by itself', async () => {
    const apart = await queries.countOf(() => all((userId) => app.get(Apart).create({ userId })));
    expect(await queries.countOf(() => all((userId) => app.get(Limited).create({ userId })))).toBeLessThan(apart / 2);
  });

  it.runIf(name === 'postgres')('are four messages for all but the first', async () => {
    const alone = await queries.countOf(() => app.get(Limited).create({ userId: 'ann' }));
    expect(await queries.countOf(() => all((userId) => app.get(Limited).create({ userId })))).toBe(alone + 4);
  });

  it.runIf(name === 'postgres')('are all told to a subscriber that listens to them', async () => {
    const seen: string[] = [];
    const subscriber: EntitySubscriberInterface = { beforeQuery: ({ query }) => void seen.push(query) };
    app.dataSource.subscribers.push(subscriber);
    await all((userId) => app.get(Limited).create({ userId }));
    app.dataSource.subscribers.splice(app.dataSource.subscribers.indexOf(subscriber), 1);
    const taken = seen.filter((query) => query.includes('pg_try_advisory_xact_lock'));
    expect(taken.length).toBeGreaterThan(0);
    expect(seen.filter((query) => query === 'START TRANSACTION').length).toBeGreaterThanOrEqual(taken.length);
  });

  describe('of an owner', () => {
    it.runIf(isServer)('one of whose sessions others have locked hold up nobody else', async () => {
      const sessions = app.get(Limited);
      const begun: Awaited<ReturnType<Limited['create']>>[] = [];
      for (let i = 0; i < max; i++) {
        begun.push(...(await all((userId) => sessions.create({ userId }))));
        app.clock.advance(SECOND);
      }
      let waits: Promise<unknown> | undefined;
      const done: string[] = [];
      await app.dataSource.transaction(async (manager) => {
        await sessions.update(begun[9]!, { data: { step: 1 } }, { manager });
        const signIns = OWNERS.map((userId) => sessions.create({ userId }));
        waits = signIns[9]!.then(() => done.push('unlocked'));
        await Promise.all(signIns.filter((_, i) => i !== 9));
        done.push('others');
      });
      await waits;
      expect(done).toEqual(['others', 'unlocked']);
      for (const userId of OWNERS) expect(await sessions.count({ userId })).toBe(max);
    });

    it.runIf(isServer)('whose lock others have hold up nobody else', async () => {
      const sessions = app.get(Limited);
      let waits: Promise<unknown> | undefined;
      const done: string[] = [];
      // What MariaDB locks beside the rows of an owner, others would wait for.
      await app.dataSource.transaction('READ COMMITTED', async (manager) => {
        await sessions.create({ userId: OWNERS[9]! }, { manager });
        const signIns = OWNERS.map((userId) => sessions.create({ userId }));
        waits = signIns[9]!.then(() => done.push('unlocked'));
        await Promise.all(signIns.filter((_, i) => i !== 9));
        done.push('others');
      });
      await waits;
      expect(done).toEqual(['others', 'unlocked']);
    });
  });

  it.runIf(name === 'postgres')('are sent anew where a change of the table has made a kept one useless', async () => {
    const sessions = app.get(Limited);
    await sessions.create({ userId: 'ann' });
    await app.dataSource.query('ALTER TABLE limited ALTER COLUMN "userId" TYPE text');
    for (let i = 0; i < max; i++) await sessions.create({ userId: 'ann' });
    expect(await sessions.count({ userId: 'ann' })).toBe(max);
  });
});
