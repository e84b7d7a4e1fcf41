import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionsModule, SessionsTable, StaleSessionError } from '@app/sessions';
import { Cluster } from '../support/cluster.js';
import { describeDatabases, SERVERS } from '../support/databases.js';

class Sessions extends SessionsTable({ extraFields: { note: { type: 'string', nullable: true } } }) {}

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-04-01T00:00:00.000Z');
const at = (ms: number): Date => new Date(NOW + ms);

// A statement that was made before another one and comes to the database after it is the same to the database as a
// statement of a node whose clock is behind. So these tests need no luck with the timing.
describeDatabases('a node whose clock is behind that of the node which ends a session', (name) => {
  let cluster: Cluster;
  let behind: Sessions;
  let ahead: Sessions;
  beforeAll(async () => {
    cluster = await Cluster.start(name, 'sessions', SessionsModule.forFeature(Sessions));
    [behind, ahead] = cluster.nodes.map((node) => node.get(Sessions)) as [Sessions, Sessions];
  });
  afterAll(() => cluster.stop());
  beforeEach(() => {
    cluster.nodes[0].clock = () => at(0);
    cluster.nodes[1].clock = () => at(1000);
  });

  /** A session whose extension is due, ended by the node ahead; with a copy from before. */
  async function endedSession() {
    const session = await ahead.create({ expiresAt: at(DAY_MS) }, { extend: true });
    expect(await ahead.expire(session)).toBe(true);
    return session;
  }

  const storedEnd = async ({ id }: { id: string }) => (await ahead.get({ id, status: 'all' }))!.expiresAt;

  it('refuses its token at once (ASVS 7.4.1)', async () => {
    const { authToken } = await endedSession();
    expect(await behind.authenticate(authToken)).toBeNull();
  });

  it.each([
    ['a read', (sessions: Sessions, { id }: { id: string }) => sessions.get({ id })],
    ['a read of all', (sessions: Sessions, { id }: { id: string }) => sessions.get({ id, status: 'all' })],
  ])('does not revive it by the extension of %s (PARITY 1.9)', async (_, read) => {
    const session = await endedSession();
    await read(behind, session);
    expect(await storedEnd(session)).toEqual(at(1000));
  });

  it('does not revive it by a refresh of a copy from before (PARITY 1.9)', async () => {
    const copy = await endedSession();
    await expect(behind.refresh(copy)).rejects.toThrow(StaleSessionError);
    expect(await storedEnd(copy)).toEqual(at(1000));
  });

  it.each([at(2 * DAY_MS), null])('does not revive it by a new end: %s', async (expiresAt) => {
    const session = await endedSession();
    await expect(behind.update(session, { expiresAt })).rejects.toThrow(StaleSessionError);
    expect(await storedEnd(session)).toEqual(at(1000));
  });

  it('still takes other changes to it, which leave it ended', async () => {
    const session = await endedSession();
    cluster.nodes[0].clock = () => at(1001);
    expect(await behind.update(session, { note: 'x' })).toMatchObject({ note: 'x', isExpired: true });
    expect(await storedEnd(session)).toEqual(at(1000));
  });

  it('extends and moves the end of a session that is valid to both', async () => {
    const session = await ahead.create({ expiresAt: at(DAY_MS) }, { extend: true });
    expect(await behind.get({ id: session.id })).toMatchObject({ expiresAt: at(7 * DAY_MS) });
    expect(await behind.update(session, { expiresAt: at(9 * DAY_MS) })).toMatchObject({ expiresAt: at(9 * DAY_MS) });
    expect(await behind.update(session, { expiresAt: null })).toMatchObject({ expiresAt: null });
    expect(await behind.update(session, { expiresAt: at(DAY_MS) })).toMatchObject({ expiresAt: at(DAY_MS) });
  });
});

describe.each(SERVERS)('a write that waits for the transaction of a log-out on %s', (name) => {
  let cluster: Cluster;
  let waiting: Sessions;
  let ending: Sessions;
  beforeAll(async () => {
    cluster = await Cluster.start(name, 'sessions', SessionsModule.forFeature(Sessions));
    [waiting, ending] = cluster.nodes.map((node) => node.get(Sessions)) as [Sessions, Sessions];
    cluster.nodes[0].clock = () => at(0);
  });
  afterAll(() => cluster.stop());

  /** The write begins, is sent, and finds the row locked; only then the log-out is committed, with a later clock. */
  async function overtaken<T>(end: 'expire' | 'delete', write: (session: { id: string }) => Promise<T>) {
    cluster.nodes[1].clock = () => at(0);
    const session = await ending.create({ expiresAt: at(DAY_MS) }, { extend: true });
    cluster.nodes[1].clock = () => at(5);
    const [node, other] = cluster.nodes;
    let written!: Promise<T | 'stale'>;
    await other.dataSource.transaction(async (manager) => {
      await ending[end](session, { manager });
      const sent = new Promise<void>((resolve) => {
        node.queries.onQuery = (statement) => /(^|; )UPDATE|FOR UPDATE$/.test(statement) && resolve();
      });
      written = write(session).catch((error: unknown) =>
        error instanceof StaleSessionError ? 'stale' : Promise.reject(error as Error),
      );
      await sent;
    });
    return { outcome: await written, stored: await ending.get({ id: session.id, status: 'all' }) };
  }

  it.each(['expire', 'delete'] as const)('is not what an extension waits for, nor does that undo %s', async (end) => {
    const { id, expiresAt } = await ending.create({ expiresAt: at(DAY_MS) }, { extend: true });
    cluster.nodes[1].clock = () => at(5);
    await cluster.nodes[1].dataSource.transaction(async (manager) => {
      await ending[end]({ id }, { manager });
      expect(await waiting.get({ id })).toMatchObject({ expiresAt });
    });
    const stored = await ending.get({ id, status: 'all' });
    expect(stored?.expiresAt).toEqual(end === 'expire' ? at(5) : undefined);
  });

  it.each(['expire', 'delete'] as const)('does not undo %s by a new end', async (end) => {
    const { outcome, stored } = await overtaken(end, (session) =>
      waiting.update(session, { expiresAt: at(9 * DAY_MS) }),
    );
    expect(outcome).toBe('stale');
    expect(stored?.expiresAt).toEqual(end === 'expire' ? at(5) : undefined);
  });

  it('ends too where it would move the end inside a transaction that keeps its view', async () => {
    const session = await ending.create({ expiresAt: at(DAY_MS) }, { extend: true });
    const move = cluster.nodes[0].dataSource.transaction('REPEATABLE READ', async (manager) => {
      await waiting.get({ id: session.id }, { manager, autoExtend: false });
      await ending.expire(session);
      return waiting.update(session, { expiresAt: at(9 * DAY_MS) }, { manager });
    });
    await expect(move).rejects.toBeInstanceOf(Error);
    expect((await ending.get({ id: session.id, status: 'all' }))!.expiresAt).toEqual(at(5));
  });
});
