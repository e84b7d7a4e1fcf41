import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EntityManager, In, Like, Not } from 'typeorm';
import {
  type SessionEvent,
  SessionMark,
  SessionsConfigError,
  SessionsTable,
  SessionValidationError,
  StaleCredentialsError,
} from '@app/sessions';
import { ownerNeeded } from '../../libs/sessions/src/lifecycle/messages.js';
import { revokesNoPart } from '../../libs/sessions/src/service/messages.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describeDatabases } from '../support/databases.js';
import { describeStorages, type StorageName, type TestApplication, useApplication } from '../support/application.js';
import { at, DAY, MINUTE, SECOND, START } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';

const extraFields = { userId: { type: 'string', index: true, nullable: true } } as const;
const reason = 'credentials_changed';

class Owned extends SessionsTable({ table: 'owned', owner: 'userId', revocation: true, extraFields }) {}
/** Whose owner is the field of its only limit. */
class Limited extends SessionsTable({ table: 'limited', extraFields, sessionLimits: { userId: { max: 3 } } }) {}
class Ownerless extends SessionsTable({ table: 'ownerless', extraFields }) {}
/** Two limits, of which neither says whose a session is. */
class Seats extends SessionsTable({
  table: 'seats',
  extraFields: { ...extraFields, seat: { type: 'int' } },
  sessionLimits: { seat: { max: 1 }, userId: { max: 3 } },
}) {}
class Typed extends SessionsTable({
  table: 'typed',
  owner: 'key',
  extraFields: { key: { type: 'uuid' } },
}) {}
class Numbered extends SessionsTable({
  table: 'numbered',
  owner: 'key',
  extraFields: { key: { type: 'bigint' } },
}) {}
class Transformed extends SessionsTable({
  table: 'transformed',
  owner: 'key',
  extraFields: {
    key: {
      type: 'string',
      transformer: {
        to: (key: { id: string }) => key.id,
        from: (id: string) => ({ id }),
      },
    },
  },
}) {}

const TABLES = [Owned, Limited, Ownerless, Seats, Typed, Numbered, Transformed];
const ANN = { userId: 'ann' };
const UUID = '0198c0de-0000-7000-8000-00000000000a';

/** An application in whose database no test finds the marks of another. */
function useUnmarked(name: StorageName): TestApplication {
  const app = useApplication(name, { tables: TABLES, options: { defaultTable: 'owned' } });
  beforeEach(async () => {
    const { adapter } = app.get(SessionsRegistry).store(Owned);
    await adapter.execute(adapter.prepare('deleteAll', SessionMark));
  });
  return app;
}

describeStorages('a sign-in whose proof began before', (name) => {
  const app = useUnmarked(name);
  let owned: Owned;
  beforeAll(() => {
    owned = app.get(Owned);
  });

  /** The credentials of a user change a minute after the start. */
  async function change(sessions: Owned | Limited = owned, filters: object = ANN): Promise<number> {
    app.clock.now = at(MINUTE);
    const count = await sessions.revokeAll(filters, { reason });
    app.clock.advance(10 * SECOND);
    return count;
  }

  describe.each([
    ['an owner that the definition names', Owned],
    ['the owner of the only limit', Limited],
  ])('the credentials changed, on a table with %s', (_, table) => {
    const sessions = (): Owned | Limited => app.get<Owned | Limited>(table);

    it.each([
      ['long before', 0],
      ['at that moment', MINUTE],
      ['within the second in which clocks may differ', MINUTE + SECOND],
    ])('is refused where it began %s, and begins nothing (ASVS 7.4.3)', async (_when, ms) => {
      const before = await sessions().create(ANN);
      expect(await change(sessions())).toBe(1);
      const signIn = sessions().signIn(ANN, { provedAt: at(ms) });
      await expect(signIn).rejects.toThrow(StaleCredentialsError);
      const error = await errorOf(signIn);
      expect(error).toMatchObject({ code: 'ERR_SESSION_CREDENTIALS', statusCode: 409, field: 'userId' });
      expect(await sessions().list({ status: 'all' })).toMatchObject([{ id: before.id }]);
    });

    it('succeeds where it began later', async () => {
      await change(sessions());
      const { authToken } = await sessions().signIn(ANN, { provedAt: at(MINUTE + SECOND + 1) });
      expect(await sessions().authenticate(authToken)).toMatchObject(ANN);
    });

    it('is refused by the latest of several changes', async () => {
      await change(sessions());
      app.clock.now = at(2 * MINUTE);
      await sessions().revokeAll(ANN, { reason });
      const provedAt = at(2 * MINUTE);
      await expect(sessions().signIn(ANN, { provedAt })).rejects.toThrow(StaleCredentialsError);
      app.clock.advance(2 * SECOND);
      await sessions().signIn(ANN, { provedAt: at(2 * MINUTE + SECOND + 1) });
    });
  });

  it('the credentials of somebody else changed, succeeds', async () => {
    await change();
    await owned.signIn({ userId: 'bob' }, { provedAt: START });
    await owned.signIn({ userId: null }, { provedAt: START });
    expect(await owned.count()).toBe(2);
  });

  it('the credentials changed for another table, succeeds', async () => {
    await change(app.get(Limited));
    await owned.signIn(ANN, { provedAt: START });
    expect(await owned.count()).toBe(1);
  });

  it('sessions were revoked for another reason, succeeds', async () => {
    app.clock.now = at(MINUTE);
    await owned.revokeAll(ANN);
    await owned.revokeAll(ANN, { reason: 'compromised' });
    await owned.signIn(ANN, { provedAt: START });
    expect(await owned.count()).toBe(1);
  });

  it('and says nothing of its proof, succeeds', async () => {
    await change();
    await owned.signIn(ANN);
    await owned.create(ANN);
    expect(await owned.count()).toBe(2);
  });

  it('does not end the session that it would have replaced, nor tells of anything', async () => {
    await change();
    const replaces = await owned.create(ANN);
    const told: SessionEvent<unknown>[] = [];
    const listening = owned.events.subscribe((event) => told.push(event));
    await expect(owned.signIn(ANN, { replaces, provedAt: START })).rejects.toThrow(StaleCredentialsError);
    listening.unsubscribe();
    expect(told).toEqual([]);
    expect(await owned.list()).toMatchObject([{ id: replaces.id }]);
  });

  it('ends no session as one too many', async () => {
    await change(app.get(Limited));
    for (let i = 0; i < 3; i++) await app.get(Limited).create(ANN);
    await expect(app.get(Limited).signIn(ANN, { provedAt: START })).rejects.toThrow(StaleCredentialsError);
    expect(await app.get(Limited).count(ANN)).toBe(3);
  });

  it('is refused after revokeOthers as well, which leaves the session that it names', async () => {
    const [here, there] = [await owned.create(ANN), await owned.create(ANN)];
    expect(await owned.revokeOthers(here, ANN, { reason })).toBe(1);
    expect(await owned.list()).toMatchObject([{ id: here.id }]);
    expect(await owned.list({ status: 'revoked' })).toMatchObject([{ id: there.id, revokedReason: reason }]);
    await expect(owned.signIn(ANN, { provedAt: START })).rejects.toThrow(StaleCredentialsError);
  });

  it('is refused after a query ended the sessions', async () => {
    await owned
      .query(ANN)
      .filter({ id: Not(UUID) })
      .revoke({ reason });
    await expect(owned.signIn(ANN, { provedAt: START })).rejects.toThrow(StaleCredentialsError);
  });

  it('is refused for each of several owners', async () => {
    const filters = [{ userId: In(['bob', 'ann']) }, { userId: 'cleo' }];
    await change(owned, filters);
    for (const userId of ['ann', 'bob', 'cleo'])
      await expect(owned.signIn({ userId }, { provedAt: START })).rejects.toThrow(StaleCredentialsError);
    await owned.signIn({ userId: 'dora' }, { provedAt: START });
  });

  it('is refused for those alone whom all of the filters are about', async () => {
    await owned
      .query({ userId: In(['bob', 'ann']) })
      .filter(ANN)
      .revoke({ reason });
    await expect(owned.signIn(ANN, { provedAt: START })).rejects.toThrow(StaleCredentialsError);
    await owned.signIn({ userId: 'bob' }, { provedAt: START });
  });

  it.each([
    ['a UUID in capital letters', Typed, { key: UUID.toUpperCase() }, { key: UUID }],
    ['a bigint as a number', Numbered, { key: 5 }, { key: '5' }],
    ['what the application makes of a column', Transformed, { key: { id: 'a' } }, { key: { id: 'a' } }],
  ])('is refused where the owner is %s', async (_, table, filters, owner) => {
    const sessions = app.get<Owned>(table as never);
    await sessions.revokeAll(filters as never, { reason });
    await expect(sessions.signIn(owner as never, { provedAt: START })).rejects.toThrow(StaleCredentialsError);
  });

  describe('a day before', () => {
    it('is refused, whatever has changed', async () => {
      app.clock.now = at(DAY);
      await owned.signIn(ANN, { provedAt: START });
      app.clock.advance(1);
      await expect(owned.signIn(ANN, { provedAt: START })).rejects.toThrow(StaleCredentialsError);
      await expect(owned.signIn({ userId: null }, { provedAt: START })).rejects.toThrow(StaleCredentialsError);
      expect(await owned.count()).toBe(1);
    });

    it('finds the change, and after that it is pruned', async () => {
      await change();
      app.clock.now = at(MINUTE + DAY);
      await owned.deleteExpired();
      await expect(owned.signIn(ANN, { provedAt: at(MINUTE) })).rejects.toThrow(StaleCredentialsError);
      expect(await marks()).toBe(1);
      app.clock.advance(MINUTE);
      await owned.deleteExpired();
      expect(await marks()).toBe(0);
    });
  });

  it('a time that is none, or is to come, is refused', async () => {
    for (const provedAt of [new Date(NaN), START.getTime() as never, START.toISOString() as never, null as never]) {
      await expect(owned.signIn(ANN, { provedAt })).rejects.toThrow(SessionValidationError);
    }
    await expect(owned.signIn(ANN, { provedAt: at(SECOND + 1) })).rejects.toThrow(/provedAt is later than now/);
    await owned.signIn(ANN, { provedAt: at(SECOND) });
  });

  it.each([Ownerless, Seats])('a change, on a table of which nobody knows the owner, is refused: %o', async (table) => {
    const sessions = app.get(table as typeof Ownerless);
    const error = await errorOf(sessions.signIn(ANN, { provedAt: START }));
    expect(error).toBeInstanceOf(SessionsConfigError);
    expect(error.message).toContain(ownerNeeded(table.definition.table!));
  });

  async function marks(): Promise<number> {
    const { adapter } = app.get(SessionsRegistry).store(Owned);
    return (await adapter.execute(adapter.prepare('all', SessionMark, { count: true }))).count;
  }
});

describeStorages('credentials_changed', (name) => {
  const app = useUnmarked(name);
  let owned: Owned;
  beforeAll(() => {
    owned = app.get(Owned);
  });

  it.each([
    ['none', {}],
    ['another field', { id: UUID }],
    ['null', { userId: null }],
    ['all but one', { userId: Not('ann') }],
    ['a pattern', { userId: Like('a%') }],
    ['one of two sets', [ANN, { id: UUID }]],
    ['a value of another type', { userId: 5 }],
    ['too many', { userId: In(Array.from({ length: 101 }, (_, i) => `u${i}`)) }],
  ])('is for owners that the filters name, not %s', async (_, filters) => {
    const session = await owned.create(ANN);
    const error = await errorOf(owned.revokeAll(filters as never, { reason }));
    expect(error).toBeInstanceOf(SessionValidationError);
    expect(Object.keys(error['errors'] as object)).toEqual(['userId']);
    await expect(owned.revokeOthers(session, filters as never, { reason })).rejects.toThrow(SessionValidationError);
    expect(await owned.count()).toBe(1);
  });

  it('is about no page of the sessions of an owner, and ends nothing then', async () => {
    await owned.create(ANN);
    await expect(owned.query(ANN).take(1).revoke({ reason })).rejects.toThrow(revokesNoPart('owned'));
    expect(await owned.count()).toBe(1);
  });

  it('of nobody ends nothing', async () => {
    await owned.create(ANN);
    expect(await owned.revokeAll({ userId: In([]) }, { reason })).toBe(0);
    expect(await owned.revokeAll([], { reason })).toBe(0);
    expect(await app.get(Typed).revokeAll({ key: 'no UUID' }, { reason })).toBe(0);
  });

  it('of one session ends that, and says nothing of its owner', async () => {
    const session = await owned.create(ANN);
    app.clock.now = at(MINUTE);
    expect(await owned.revoke(session, { reason })).toBe(true);
    expect(await owned.list({ status: 'revoked' })).toMatchObject([{ id: session.id, revokedReason: reason }]);
    await owned.signIn(ANN, { provedAt: START });
  });

  it('on a table without an owner ends what matches, as for any other reason', async () => {
    await app.get(Ownerless).create(ANN);
    expect(await app.get(Ownerless).revokeAll({}, { reason })).toBe(1);
  });

  it('tells of each session that it ends', async () => {
    const { id } = await owned.create(ANN);
    const told: SessionEvent<unknown>[] = [];
    const listening = owned.events.subscribe((event) => told.push(event));
    await owned.revokeAll(ANN, { reason });
    listening.unsubscribe();
    expect(told).toMatchObject([{ type: 'revoked', reason, session: { id } }]);
  });
});

describeDatabases('a change of credentials in a transaction of the application', (name) => {
  const app = useUnmarked(name);
  let owned: Owned;
  beforeAll(() => {
    owned = app.get(Owned);
  });

  it('is of the time at which that ends', async () => {
    await app.dataSource.transaction(async (manager) => {
      await owned.revokeAll(ANN, { reason, manager });
      app.clock.advance(30 * SECOND);
    });
    await expect(owned.signIn(ANN, { provedAt: at(30 * SECOND) })).rejects.toThrow(StaleCredentialsError);
    app.clock.advance(MINUTE);
    await owned.signIn(ANN, { provedAt: at(32 * SECOND) });
  });

  it.runIf(name === 'postgres').each(['REPEATABLE READ', 'SERIALIZABLE'] as const)(
    'is refused where that keeps its view of the table: %s',
    async (isolation) => {
      const calls = [
        // It would not see the session of a sign-in that it has waited for.
        (manager: EntityManager) => owned.revokeAll(ANN, { reason, manager }),
        // It would not see a change that it has waited for.
        (manager: EntityManager) => owned.signIn(ANN, { manager, provedAt: START }),
      ];
      for (const call of calls) {
        const transaction = app.dataSource.transaction<unknown>(isolation, call);
        await expect(transaction).rejects.toThrow(/does not see what others wrote.*begin it as READ COMMITTED\.$/);
      }
      expect(await owned.count()).toBe(0);
    },
  );

  it.each([Owned, Limited])('waits for no sign-in that waits for it: %o', async (table) => {
    const sessions = app.get(table);
    const nullIfStale = (error: unknown): null => {
      if (error instanceof StaleCredentialsError) return null;
      throw error;
    };
    const signIn = await app.dataSource.transaction(async (manager) => {
      await manager.query('SELECT 1');
      const token = sessions.signIn(ANN, { provedAt: START }).then(({ authToken }) => authToken, nullIfStale);
      for (let i = 0; i < 3; i++) await manager.query('SELECT 1');
      await sessions.revokeAll(ANN, { reason, manager });
      return { token };
    });
    // Where it was faster its session has been ended.
    const token = await signIn.token;
    expect(token && (await sessions.authenticate(token))).toBeNull();
  });

  it('is none where that is undone', async () => {
    await app.dataSource
      .transaction(async (manager) => {
        await owned.revokeAll(ANN, { reason, manager });
        throw new Error('undone');
      })
      .catch(() => undefined);
    await owned.signIn(ANN, { provedAt: START });
    expect(await owned.count()).toBe(1);
  });

  it('is seen by a sign-in in the same one, which leaves nothing where its error is caught', async () => {
    await app.dataSource.transaction(async (manager) => {
      await owned.revokeAll(ANN, { reason, manager });
      app.clock.advance(MINUTE);
      const signIn = owned.signIn(ANN, { manager, provedAt: at(MINUTE) });
      await expect(signIn).rejects.toThrow(StaleCredentialsError);
      await owned.signIn(ANN, { manager });
    });
    expect(await owned.count()).toBe(1);
  });
});
