import { DataSource, type EntityManager } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { NO_MANAGER_OF_IT } from '../../libs/sessions/src/adapters/typeorm/messages.js';
import { describeDatabases } from '../support/databases.js';
import { useApplication } from '../support/application.js';
import { at, DAY } from '../support/clock.js';
import { Sessions, usersOf } from '../support/sessions.js';

class Undone extends Error {}

describeDatabases('{ manager }', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  /** Runs something in a transaction that is then rolled back. */
  const undone = async (act: (manager: EntityManager) => Promise<void>): Promise<void> => {
    const transaction = app.dataSource.transaction(async (manager) => {
      await act(manager);
      throw new Undone();
    });
    await expect(transaction).rejects.toThrow(Undone);
  };

  it('makes create part of the transaction, undone by its rollback', async () => {
    await undone(async (manager) => {
      const { authToken } = await sessions.create({ userId: 'u1' }, { manager });
      expect(await sessions.get({ authToken }, { manager })).toMatchObject({ userId: 'u1' });
    });
    expect(await sessions.count({ status: 'all' })).toBe(0);
  });

  it('makes create part of the transaction, kept by its commit', async () => {
    const { authToken } = await app.dataSource.transaction((manager) => sessions.create({ userId: 'u1' }, { manager }));
    expect(await sessions.get({ authToken })).toMatchObject({ userId: 'u1' });
  });

  it.each([
    ['update', (session: { id: string }, manager) => sessions.update(session, { note: 'new' }, { manager })],
    ['expire', (session, manager) => sessions.expire(session, { manager })],
    ['delete', (session, manager) => sessions.delete(session, { manager })],
    ['deleteOrFail', (session, manager) => sessions.deleteOrFail(session, { manager })],
    ['deleteAll', (_, manager) => sessions.deleteAll({ userId: 'u1' }, { manager })],
    ['query().delete', (_, manager) => sessions.query({ userId: 'u1' }, { manager }).delete()],
    [
      'refresh',
      async ({ id }, manager) =>
        sessions.refresh(await sessions.getOrFail({ id }, { autoExtend: false, manager }), { manager }),
    ],
    ['the extension by get', (session, manager) => sessions.get({ id: session.id }, { manager })],
  ] as readonly (readonly [string, (session: { id: string }, manager: EntityManager) => Promise<unknown>])[])(
    'makes %s part of the transaction, undone by its rollback',
    async (_what, act) => {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(2 * DAY);
      await undone(async (manager) => {
        await act(session, manager);
        expect(await sessions.query({ id: session.id, status: 'all' }, { manager }).one()).not.toEqual(session);
      });
      expect(await sessions.query({ id: session.id }).one()).toEqual(session);
    },
  );

  it('makes the extension by authenticate part of the transaction', async () => {
    const session = await sessions.create({ userId: 'u1' });
    app.clock.advance(2 * DAY);
    await undone(async (manager) => {
      expect(await sessions.authenticate(session.authToken, { manager })).toMatchObject({ expiresAt: at(9 * DAY) });
    });
    expect(await sessions.query({ id: session.id }).one()).toEqual(session);
  });

  it('reads what the transaction itself has written', async () => {
    await undone(async (manager) => {
      await sessions.create({ userId: 'u1' }, { manager });
      expect(usersOf(await sessions.list({}, { manager }))).toEqual(['u1']);
      expect(await sessions.query({}, { manager }).count()).toBe(1);
      const streamed: string[] = [];
      for await (const session of sessions.query({}, { manager }).stream()) streamed.push(session.userId);
      expect(streamed).toEqual(['u1']);
      expect(await sessions.query({}, { manager }).toQueryBuilder().getCount()).toBe(1);
    });
  });

  it("joins several writes and the application's own SQL into one transaction", async () => {
    await undone(async (manager) => {
      const session = await sessions.create({ userId: 'u1' }, { manager });
      await sessions.update(session, { note: 'new' }, { manager });
      await manager.update(Sessions.entity, { id: session.id }, { visits: 5 });
      expect(await sessions.get({ id: session.id }, { manager })).toMatchObject({ note: 'new', visits: 5 });
    });
    expect(await sessions.count({ status: 'all' })).toBe(0);
  });

  it('outside a transaction is the same as none', async () => {
    const { manager } = app;
    const session = await sessions.create({ userId: 'u1' }, { manager });
    expect(await sessions.get({ id: session.id }, { manager })).toEqual(session);
    expect(await sessions.delete(session, { manager })).toBe(true);
  });

  it.each([
    ['the connection of a transaction', (manager: EntityManager) => manager.queryRunner],
    ['a data source', () => app.dataSource],
    [
      'the manager of another data source',
      () => new DataSource({ type: 'better-sqlite3', database: ':memory:' }).manager,
    ],
  ])('is not %s: the call says so, and writes nothing', async (_what, given) => {
    await app.dataSource.transaction(async (manager) => {
      const creating = sessions.create({ userId: 'u1' }, { manager: given(manager) as EntityManager });
      await expect(creating).rejects.toThrow(NO_MANAGER_OF_IT);
    });
    expect(await sessions.count({ status: 'all' })).toBe(0);
  });

  it('keeps what is not committed from everybody else', async () => {
    const session = await sessions.create({ userId: 'u1' });
    await undone(async (manager) => {
      await sessions.expire(session, { manager });
      expect(await sessions.authenticate(session.authToken)).toEqual(session);
    });
    expect(await sessions.authenticate(session.authToken)).toEqual(session);
  });

  describe('rolled back to a savepoint', () => {
    it('undoes only what came after it', async () => {
      await app.dataSource.transaction(async (manager) => {
        await sessions.create({ userId: 'kept' }, { manager });
        const nested = manager.transaction(async (inner) => {
          await sessions.create({ userId: 'undone' }, { manager: inner });
          throw new Undone();
        });
        await expect(nested).rejects.toThrow(Undone);
      });
      expect(usersOf(await sessions.list())).toEqual(['kept']);
    });
  });
});
