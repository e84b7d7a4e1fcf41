import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type SessionOf, SessionsModule, SessionsTable, StaleSessionError } from '@app/sessions';
import { Cluster } from '../support/cluster.js';
import { describeDatabases } from '../support/databases.js';
import { rounds } from './rounds.js';

class Sessions extends SessionsTable({ extraFields: { hits: { type: 'int', default: 0 } } }) {}

/** Extended by every read that gains time. */
class EagerSessions extends SessionsTable({ table: 'eager', extendSessionStaleTime: 0 }) {}

type Session = SessionOf<Sessions>;

const DAY_MS = 86_400_000;
const PARALLEL = 100;
const ROUNDS = rounds(20);

/** What a request may do to a session; each resolves with the session it got, with whether it ended it, or with `null`. */
const ACTIONS = {
  authenticate: (sessions: Sessions, _: Session, token: string) => sessions.authenticate(token),
  get: (sessions: Sessions, { id }: Session) => sessions.get({ id }),
  refresh: (sessions: Sessions, copy: Session) => sessions.refresh(copy),
  note: (sessions: Sessions, copy: Session) => sessions.update(copy, { hits: 1 }),
  prolong: (sessions: Sessions, copy: Session) =>
    sessions.update(copy, { expiresAt: new Date(Date.now() + 30 * DAY_MS) }, { extend: true }),
  expire: (sessions: Sessions, copy: Session) => sessions.expire(copy),
  delete: (sessions: Sessions, copy: Session) => sessions.delete(copy),
} as const;

type Action = keyof typeof ACTIONS;

const extending: Action[] = ['authenticate', 'get', 'refresh', 'prolong', 'note'];

describeDatabases('100 requests for one session at once', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(
      name,
      'sessions',
      SessionsModule.forFeature(Sessions),
      SessionsModule.forFeature(EagerSessions),
    );
  });
  afterAll(() => cluster.stop());
  beforeEach(() => {
    for (const node of cluster.nodes) node.clock = () => new Date();
  });

  const sessions = (i = 0): Sessions => cluster.nodes[i % 2]!.get(Sessions);

  /** A session that every read extends. */
  const dueSession = () => sessions().create({ expiresAt: new Date(Date.now() + DAY_MS) }, { extend: true });

  /** Runs all the actions at once, in turn on either node, each with a copy of the session from before. */
  async function meet(session: Session & { authToken: string }, actions: readonly Action[]) {
    const copy: Session = { ...session };
    return Promise.all(
      actions.map(async (action, i) => {
        const value = await ACTIONS[action](sessions(i), copy, session.authToken).catch(nullIfStale);
        return { action, value };
      }),
    );
  }

  const ends = (results: { value: unknown }[]): number[] =>
    results.flatMap(({ value }) =>
      (value as Session | null)?.expiresAt ? [(value as Session).expiresAt!.getTime()] : [],
    );

  it('extend it once', async () => {
    const now = new Date();
    for (const node of cluster.nodes) node.clock = () => now;
    const session = await dueSession();
    const results = await meet(session, Array<Action>(PARALLEL).fill('authenticate'));
    const seen = new Set(ends(results));
    // MySQL locks the row for several statements: who comes meanwhile by the other node has the end from before.
    if (name === 'mysql') seen.delete(session.expiresAt!.getTime());
    expect(seen).toEqual(new Set([now.getTime() + 7 * DAY_MS]));
    expect(await sessions().count({ id: session.id, status: 'all' })).toBe(1);
  });

  it('never shorten it, although their clocks differ and they overtake each other', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const tables = cluster.nodes.map((node) => node.get(EagerSessions));
      const { id, authToken } = await tables[0]!.create({ expiresAt: new Date(Date.now() + DAY_MS) }, { extend: true });
      const found = await Promise.all(
        Array.from({ length: PARALLEL }, (_, i) => tables[i % 2]!.authenticate(authToken)),
      );
      const stored = await tables[0]!.getOrFail({ id }, { autoExtend: false });
      expect(Math.max(...ends(found.map((value) => ({ value }))))).toBe(stored.expiresAt!.getTime());
    }
  });

  it('expire it once', async () => {
    const now = new Date();
    for (const node of cluster.nodes) node.clock = () => now;
    const session = await dueSession();
    const results = await meet(session, Array<Action>(PARALLEL).fill('expire'));
    expect(results.filter(({ value }) => value === true)).toHaveLength(1);
    expect(await sessions().get({ id: session.id, status: 'all' })).toMatchObject({ expiresAt: now });
  });

  it('delete it once', async () => {
    const session = await dueSession();
    const results = await meet(session, Array<Action>(PARALLEL).fill('delete'));
    expect(results.filter(({ value }) => value === true)).toHaveLength(1);
    expect(await sessions().count({ id: session.id, status: 'all' })).toBe(0);
  });

  it.each(['expire', 'delete'] as const)('never revive it by extensions that race %s', async (end) => {
    for (let round = 0; round < ROUNDS; round++) {
      const session = await dueSession();
      const turn = Math.floor((round * PARALLEL) / ROUNDS);
      const actions = Array.from({ length: PARALLEL }, (_, i): Action => (i === turn ? end : extending[i % 5]!));
      const results = await meet(session, actions);
      expect(results[turn]!.value).toBe(true);
      await expectEnded(session);
    }
  });

  it('neither revive, shorten nor double it, whatever they do, in any order', async () => {
    const anyActions = fc.array(fc.constantFrom(...(Object.keys(ACTIONS) as Action[]), ...extending, ...extending), {
      minLength: PARALLEL,
      maxLength: PARALLEL,
    });
    await fc.assert(
      fc.asyncProperty(anyActions, async (actions) => {
        const session = await dueSession();
        const results = await meet(session, actions);
        expect(await sessions().count({ id: session.id, status: 'all' })).toBeLessThanOrEqual(1);
        if (results.some(({ value }) => value === true)) return expectEnded(session);
        const stored = await sessions().getOrFail({ id: session.id }, { autoExtend: false });
        expect(stored.expiresAt!.getTime()).toBeGreaterThanOrEqual(Math.max(...ends(results)));
      }),
      { numRuns: rounds(30) },
    );
  });

  /** Ended, and left so by whatever comes later. */
  async function expectEnded(session: Session & { authToken: string }): Promise<void> {
    const stored = await sessions().get({ id: session.id, status: 'all' });
    const late = await meet(session, [
      'authenticate',
      'refresh',
      'prolong',
      'get',
      'authenticate',
      'refresh',
      'prolong',
      'get',
    ]);
    expect(late.map(({ value }) => value)).toEqual(Array(8).fill(null));
    expect(await sessions().get({ id: session.id, status: 'all' })).toEqual(stored);
  }
});

/** The one way in which an action may fail. */
function nullIfStale(error: unknown): null {
  if (error instanceof StaleSessionError) return null;
  throw error;
}
