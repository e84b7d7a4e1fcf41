import { AsyncLocalStorage } from 'node:async_hooks';
import type { EntityManager } from 'typeorm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SessionEvent, SessionsTable } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { authenticateAtOnce } from '../../libs/sessions/src/service/authenticate-at-once.js';
import { at, DAY } from '../support/clock.js';
import { describeDatabases } from '../support/databases.js';
import { useApplication } from '../support/application.js';
import { usersOf } from '../support/sessions.js';

class Undone extends Error {}

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string', index: true }, note: { type: 'string', nullable: true } },
  rotation: true,
  freshness: true,
  revocation: true,
  lastUse: { interval: '1m' },
}) {}

/** A service that does something more with each token. */
class Watching extends SessionsTable({ table: 'watched', extraFields: { userId: { type: 'string' } } }) {
  override async authenticate(...args: Parameters<InstanceType<typeof Sessions>['authenticate']>): Promise<never> {
    return super.authenticate(...(args as [unknown])) as Promise<never>;
  }
}

describeDatabases('the transaction around a call', (name) => {
  const around = new AsyncLocalStorage<EntityManager>();
  const asked = new Set<string>();
  const app = useApplication(name, {
    tables: [Sessions, Watching],
    options: {
      defaultTable: Sessions,
      cache: { ttl: '10s', channel: null },
      transaction: (dataSource) => {
        asked.add(dataSource);
        return around.getStore();
      },
    },
  });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });
  beforeEach(() => asked.clear());

  const transaction = <T>(act: () => Promise<T>): Promise<T> =>
    app.dataSource.transaction((manager) => around.run(manager, act));

  const undone = async (act: () => Promise<unknown>): Promise<void> => {
    const failed = transaction(async () => {
      await act();
      throw new Undone();
    });
    await expect(failed).rejects.toThrow(Undone);
  };

  it('has what a call writes, and is asked for by the name of the data source', async () => {
    await undone(() => sessions.create({ userId: 'undone' }));
    await transaction(() => sessions.create({ userId: 'kept' }));
    expect(usersOf(await sessions.list({ status: 'all' }))).toEqual(['kept']);
    expect([...asked]).toEqual(['default']);
  });

  it.each<[string, (session: Awaited<ReturnType<Sessions['create']>>) => Promise<unknown>]>([
    ['update', (session) => sessions.update(session, { note: 'new' })],
    ['patchData', (session) => sessions.patchData(session, { a: 1 })],
    ['refresh', (session) => sessions.refresh(session)],
    ['expire', (session) => sessions.expire(session)],
    ['revoke', (session) => sessions.revoke(session)],
    ['revokeAll', ({ userId }) => sessions.revokeAll({ userId })],
    ['revokeOthers', ({ userId }) => sessions.revokeOthers({ id: 'none' }, { userId })],
    ['takeOnce', ({ authToken }) => sessions.takeOnce({ authToken })],
    ['rotate', (session) => sessions.rotate(session)],
    ['reauthenticate', (session) => sessions.reauthenticate(session)],
    ['delete', (session) => sessions.delete(session)],
    ['deleteOrFail', (session) => sessions.deleteOrFail(session)],
    ['deleteAll', ({ userId }) => sessions.deleteAll({ userId })],
    ['query().delete', ({ userId }) => sessions.query({ userId }).delete()],
    ['query().revoke', ({ userId }) => sessions.query({ userId }).revoke({ reason: 'signed_out' })],
    ['signIn in place of it', (session) => sessions.signIn({ userId: 'u2' }, { replaces: session })],
    ['the extension by get', ({ id }) => sessions.get({ id })],
    ['the extension by authenticate', ({ authToken }) => sessions.authenticate(authToken)],
  ])('has what %s writes, which its rollback undoes', async (_call, act) => {
    const session = await sessions.create({ userId: 'u1' });
    app.clock.advance(2 * DAY);
    const read = () => sessions.query({ id: session.id, status: 'all' }).one();
    const before = await read();
    await undone(async () => {
      await act(session);
      expect(await read()).not.toEqual(before);
    });
    expect(await read()).toEqual(before);
    expect(await sessions.count({ status: 'all' })).toBe(1);
  });

  it('is read by every call that reads', async () => {
    await undone(async () => {
      const { id, authToken } = await sessions.create({ userId: 'u1', data: { a: 1 } });
      expect(await sessions.getOrFail({ id })).toMatchObject({ userId: 'u1' });
      expect(await sessions.authenticate(authToken)).toMatchObject({ userId: 'u1' });
      expect(await sessions.dataOf({ id })).toEqual({ a: 1 });
      expect(usersOf(await sessions.list())).toEqual(['u1']);
      expect(usersOf(await sessions.listValid())).toEqual(['u1']);
      expect(await sessions.count()).toBe(1);
      const streamed = [];
      for await (const session of sessions.query().stream()) streamed.push(session);
      expect(usersOf(streamed)).toEqual(['u1']);
      expect(await sessions.query().toQueryBuilder().getCount()).toBe(1);
    });
  });

  it('is not that of a call which names another one, or none', async () => {
    const { id } = await sessions.create({ userId: 'u1' });
    // On SQLite who writes waits for the transaction, which waits here.
    await undone(async () => {
      await sessions.revoke({ id });
      expect(await sessions.count({})).toBe(0);
      expect(await sessions.query({}, { manager: null }).count()).toBe(1);
      expect(await sessions.list({}, { manager: null })).toHaveLength(1);
      expect(await sessions.get({ id }, { manager: null, autoExtend: false })).not.toBeNull();
    });
    if (name === 'sqlite') return;
    await undone(() => sessions.revoke({ id }, { manager: null }));
    expect(await sessions.count()).toBe(0);
    await undone(() => sessions.deleteAll({ status: 'all' }, { manager: null }));
    expect(await sessions.count({ status: 'all' })).toBe(0);
  });

  it('is none when it is over, or belongs to another data source', async () => {
    const ended = await app.dataSource.transaction(async (manager) => manager);
    await around.run(ended, () => sessions.create({ userId: 'u1' }));
    expect(await sessions.count()).toBe(1);
    const runner = { isTransactionActive: true };
    await around.run({ queryRunner: runner, dataSource: {} } as never, () => sessions.create({ userId: 'u2' }));
    expect(await sessions.count()).toBe(2);
  });

  it('has the caches forget when it is committed', async () => {
    const { id, authToken } = await sessions.create({ userId: 'u1' });
    expect(await sessions.authenticate(authToken)).not.toBeNull();
    await transaction(async () => {
      await sessions.revoke({ id });
      expect(await around.exit(() => sessions.authenticate(authToken))).not.toBeNull();
    });
    expect(await sessions.authenticate(authToken)).toBeNull();
  });

  it('tells of events as { manager } does', async () => {
    const told: SessionEvent['type'][] = [];
    sessions.events.subscribe(({ type }) => told.push(type));
    const { id } = await transaction(() => sessions.create({ userId: 'u1' }));
    await transaction(() => sessions.revoke({ id }));
    expect(told).toEqual(['created', 'revoked']);
  });

  describe('is none of', () => {
    const guard = (table: typeof Sessions | typeof Watching, token: string) => {
      const registry = app.get(SessionsRegistry);
      const store = registry.store(table);
      return authenticateAtOnce(
        { store, service: registry.service(store) },
        token,
        { authoritative: true },
        () => ({}),
      );
    };

    it.each([
      ['a lookup of the guard', Sessions],
      ["one by the application's own authenticate", Watching],
    ] as const)('%s', async (_what, table) => {
      const service = app.get<Sessions>(table as typeof Sessions);
      const { id, authToken } = await service.create({ userId: 'u1' });
      await undone(async () => {
        await service.revoke({ id });
        expect(await guard(table, authToken)).toMatchObject({ userId: 'u1' });
      });
    });

    // SQLite's only connection is in the transaction until it ends.
    it.skipIf(name === 'sqlite')('what is written beside a request', async () => {
      const { id, authToken } = await sessions.create({ userId: 'u1' });
      app.clock.advance(2 * DAY);
      await undone(async () => {
        expect(await guard(Sessions, authToken)).toMatchObject({ expiresAt: at(9 * DAY) });
        await app.get(SessionsRegistry).store(Sessions).lastUse!.flush();
      });
      expect(await sessions.get({ id })).toMatchObject({ expiresAt: at(9 * DAY), lastUsedAt: at(2 * DAY) });
    });

    it.skipIf(name === 'sqlite')('pruning', async () => {
      await sessions.create({ userId: 'u1' });
      app.clock.advance(40 * DAY);
      await undone(async () => expect(await sessions.deleteExpired()).toBe(1));
      expect(await sessions.count({ status: 'all' })).toBe(0);
    });
  });
});
