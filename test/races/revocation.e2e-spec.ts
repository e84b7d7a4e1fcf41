import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BaseSession, type SessionOf, SessionsModule, SessionsTable } from '@app/sessions';
import { Cluster } from '../support/cluster.js';
import { type DatabaseName, describeDatabases, SERVERS } from '../support/databases.js';
import { atOnce, inRounds, nullIfStale, roundsOn } from './rounds.js';

const columns = { rotation: true, freshness: true, extraFields: { note: { type: 'string', nullable: true } } } as const;

class Keeping extends SessionsTable({ ...columns, table: 'keeping', revocation: true }) {}

/** Where a revocation leaves an end only, as any other end is. */
class Plain extends SessionsTable({ ...columns, table: 'plain' }) {}

const TABLES = { keeping: Keeping, plain: Plain } as unknown as Record<'keeping' | 'plain', typeof Plain>;

type Session = SessionOf<Plain>;
/** A token that a request was given, or none. */
type Given = { readonly authToken?: string } | null;

const DAY_MS = 86_400_000;
const AFTER_GRACE_MS = 60_000;
const NOW = Date.parse('2026-04-01T00:00:00.000Z');
const at = (ms: number): Date => new Date(NOW + ms);

/** What a request may do to a session; a copy of it is from before. */
const ACTIONS = {
  rotate: (sessions: Plain, copy: Session) => sessions.rotate(copy),
  'authenticate and rotate': async (sessions: Plain, _: Session, token: string) => {
    const session = await sessions.authenticate(token);
    return session && sessions.rotate(session);
  },
  reauthenticate: (sessions: Plain, copy: Session) => sessions.reauthenticate(copy),
  extend: (sessions: Plain, _: Session, token: string) => sessions.authenticate(token),
  refresh: (sessions: Plain, copy: Session) => sessions.refresh(copy),
  prolong: (sessions: Plain, copy: Session) => sessions.update(copy, { expiresAt: at(30 * DAY_MS) }, { extend: true }),
  'never end': (sessions: Plain, copy: Session) => sessions.update(copy, { expiresAt: null }),
} as const;

type Action = keyof typeof ACTIONS;
const NAMES = Object.keys(ACTIONS) as Action[];

/** The clock of the second node beside that of the first. */
const SKEWS = [0, 5000, -5000];

async function startCluster(name: DatabaseName): Promise<Cluster> {
  return Cluster.start(name, 'plain', SessionsModule.forFeature(Keeping), SessionsModule.forFeature(Plain));
}

describeDatabases('a revocation that meets other requests', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(name);
  });
  afterAll(() => cluster.stop());
  beforeEach(() => setClocks(0));

  // As many for each of the two tables.
  const rounds = roundsOn(name) / 2;

  function setClocks(skew: number, ms = 0): void {
    cluster.nodes[0].clock = () => at(ms);
    cluster.nodes[1].clock = () => at(ms + skew);
  }

  /** Rounds under each skew, counted over all of them, so that few rounds are of as many kinds as they can be. */
  async function withSkews(round: (i: number) => Promise<void>): Promise<void> {
    const ofEach = Math.ceil(rounds / SKEWS.length);
    for (const [n, skew] of SKEWS.entries()) {
      setClocks(skew);
      await inRounds(ofEach, (i) => round(n * ofEach + i));
    }
  }

  describe.each(['keeping', 'plain'] as const)('in the table %s', (table) => {
    const sessions = (i = 0): Plain => cluster.nodes[i % 2]!.get(TABLES[table]);

    const stored = ({ id }: { id: string }) => sessions().get({ id, status: 'all' }, { autoExtend: false });

    /** A session that every read extends, and a copy of it as a request has it. */
    async function dueSession() {
      const session = await sessions().create({ expiresAt: at(DAY_MS) }, { extend: true });
      return { authToken: session.authToken, copy: { ...session } as Session };
    }

    /** Revokes a session among these requests for it; the tokens that any of them was given, and the first one. */
    async function revokeAmong(i: number, actions: readonly Action[]) {
      const { copy, authToken } = await dueSession();
      const run = async (action: Action, node: number): Promise<Given> =>
        (await nullIfStale<unknown>(ACTIONS[action](sessions(node), copy, authToken))) as Given;
      const before = actions.slice(0, i % (actions.length + 1)).map(run);
      const revoked = sessions(i).revoke(copy, { reason: 'compromised' });
      const after = actions.slice(i % (actions.length + 1)).map((action, n) => run(action, n + i));
      expect(await revoked).toBe(true);
      const given = await Promise.all([...before, ...after]);
      return { copy, tokens: [authToken, ...given.flatMap((it) => (it?.authToken ? [it.authToken] : []))] };
    }

    /** What still works of a session that was revoked: what its tokens give on either node. */
    async function survivors({ copy, tokens }: { copy: Session; tokens: readonly string[] }): Promise<unknown[]> {
      expect(((await stored(copy)) as BaseSession).revokedReason).toBe(table === 'keeping' ? 'compromised' : undefined);
      const found = await Promise.all(tokens.flatMap((token) => [0, 1].map((i) => sessions(i).authenticate(token))));
      return found.filter((session) => session !== null);
    }

    /** As {@link survivors}, and what requests get that come too late; they change nothing. */
    async function lateSurvivors(session: { copy: Session; tokens: readonly string[] }): Promise<unknown[]> {
      const { copy, tokens } = session;
      const ended = await stored(copy);
      const late = await Promise.all(
        NAMES.map((action, i) => nullIfStale<unknown>(ACTIONS[action](sessions(i), copy, tokens[0]!))),
      );
      expect(await stored(copy)).toEqual(ended);
      return [...late.filter((given) => given !== null), ...(await survivors(session))];
    }

    it.each(NAMES)('is outlived by no token and no extension of requests that %s (ASVS 7.4.1)', async (action) => {
      await withSkews(async (i) => {
        expect(await survivors(await revokeAmong(i, [action, action]))).toEqual([]);
      });
    });

    it('is outlived by nothing where requests do all of that (ASVS 7.4.1)', async () => {
      await withSkews(async (i) => {
        const start = i % NAMES.length;
        const actions = [...NAMES.slice(start), ...NAMES.slice(0, start)];
        expect(await lateSurvivors(await revokeAmong(i, actions))).toEqual([]);
      });
    });

    it.each([false, true])('counts once, with the time and the reason of the first (events: %s)', async (listening) => {
      const told: string[] = [];
      const subscriptions = [0, 1].map((i) =>
        sessions(i).events.subscribe((event) => listening && event.type === 'revoked' && told.push(event.session.id)),
      );
      if (!listening) subscriptions.forEach((subscription) => subscription.unsubscribe());
      const reasons = ['compromised', 'administrative', 'signed_out', 'superseded'] as const;
      const ids: string[] = [];
      await inRounds(rounds, async () => {
        const { copy } = await dueSession();
        ids.push(copy.id);
        const revoked = await atOnce(reasons.length, (i) => sessions(i).revoke(copy, { reason: reasons[i]! }));
        expect(revoked.filter(Boolean)).toHaveLength(1);
        const ended = await stored(copy);
        const kept = { revokedAt: at(0), revokedReason: reasons[revoked.indexOf(true)] };
        expect(ended).toMatchObject(table === 'keeping' ? kept : { expiresAt: at(0) });
        expect(await sessions(1).revoke(copy, { reason: 'token_reuse' })).toBe(false);
        expect(await stored(copy)).toEqual(ended);
      });
      subscriptions.forEach((subscription) => subscription.unsubscribe());
      expect(told.toSorted()).toEqual(listening ? ids.toSorted() : []);
    });

    it('by a node whose clock is ahead is not undone by a note of a node whose clock is behind', async () => {
      setClocks(5000);
      const { copy, authToken } = await dueSession();
      expect(await sessions(1).revoke(copy)).toBe(true);
      await sessions(0).update(copy, { note: 'x' });
      expect(await atOnce(2, (i) => sessions(i).authenticate(authToken))).toEqual([null, null]);
    });

    it('leaves a session that can be looked up', async () => {
      const { copy } = await dueSession();
      await sessions().revoke(copy);
      expect(await sessions().get({ id: copy.id, status: 'all' })).toMatchObject({ id: copy.id, isExpired: true });
    });

    it('ends a session that has been reauthenticated, whatever is rotated meanwhile (ASVS 7.4.1)', async () => {
      const reauthenticated = await atOnce(rounds, async (i) => {
        const { copy } = await dueSession();
        const { authToken } = await sessions(i).reauthenticate(copy);
        return { copy, authToken, fresh: (await sessions(i + 1).authenticate(authToken))! };
      });
      setClocks(0, AFTER_GRACE_MS);
      await inRounds(rounds, async (i) => {
        const { copy, authToken, fresh } = reauthenticated[i]!;
        const [rotated, revoked] = await Promise.all([
          nullIfStale(sessions(i).rotate(fresh)),
          sessions(i + 1).revoke(copy, { reason: 'compromised' }),
        ]);
        expect(revoked).toBe(true);
        const tokens = [authToken, ...(rotated ? [rotated.authToken] : [])];
        expect(await lateSurvivors({ copy, tokens })).toEqual([]);
      });
    });
  });
});

describeDatabases('a reauthentication that meets other requests', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(name);
    for (const node of cluster.nodes) node.clock = () => at(0);
  });
  afterAll(() => cluster.stop());

  const sessions = (i = 0): Plain => cluster.nodes[i % 2]!.get(TABLES.keeping);
  const found = (token: string) => atOnce(2, async (i) => (await sessions(i).authenticate(token))?.id);

  it('is one, whose token is the only one that works (ASVS 7.2.4)', async () => {
    await inRounds(roundsOn(name), async () => {
      const session = await sessions().create({});
      const given = await atOnce(4, (i) => nullIfStale(sessions(i).reauthenticate(session)));
      const winners = given.filter((it) => it !== null);
      expect(winners).toHaveLength(1);
      expect(await found(session.authToken)).toEqual([undefined, undefined]);
      expect(await found(winners[0]!.authToken)).toEqual([session.id, session.id]);
    });
  });

  it('leaves no token of rotations at the same time (ASVS 7.2.4)', async () => {
    await inRounds(roundsOn(name), async (i) => {
      const session = await sessions().create({});
      const copies = await atOnce(3, (n) => sessions(n).authenticate(session.authToken));
      const [reauthenticated, ...rotated] = await Promise.all([
        sessions(i).reauthenticate(session),
        ...copies.map((copy, n) => sessions(n).rotate(copy!)),
      ]);
      const others = [session.authToken, ...rotated.flatMap((it) => (it ? [it.authToken] : []))];
      expect((await Promise.all(others.map(found))).flat()).toEqual(others.flatMap(() => [undefined, undefined]));
      expect(await found(reauthenticated.authToken)).toEqual([session.id, session.id]);
    });
  });

  it('gives nothing to who came with a token of before, although it is of the same millisecond (ASVS 7.2.4)', async () => {
    const session = await sessions().create({});
    const rotated = (await sessions(0).rotate(session))!;
    const thief = (await sessions(1).authenticate(rotated.authToken))!;
    const { authToken } = await sessions(0).reauthenticate(session);
    for (const node of cluster.nodes) node.clock = () => at(AFTER_GRACE_MS);
    expect(await nullIfStale(sessions(1).rotate(thief))).toBeNull();
    expect(await found(authToken)).toEqual([session.id, session.id]);
  });
});

describe.each(SERVERS)('a write that waits for the transaction of a revocation on %s', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(name);
  });
  afterAll(() => cluster.stop());

  // An extension by the way waits for none.
  const actions = NAMES.filter((action) => action !== 'extend');
  const cases = (['keeping', 'plain'] as const).flatMap((table) => actions.map((action) => ({ table, action })));

  it.each(cases)('does not undo it: $action in the table $table (ASVS 7.4.1)', async ({ table, action }) => {
    const [node, other] = cluster.nodes;
    const [waiting, ending] = [node.get(TABLES[table]), other.get(TABLES[table])];
    node.clock = other.clock = () => at(0);
    const session = await ending.create({ expiresAt: at(DAY_MS) }, { extend: true });
    other.clock = () => at(5);
    let written!: Promise<unknown>;
    await other.dataSource.transaction(async (manager) => {
      expect(await ending.revoke(session, { manager, reason: 'compromised' })).toBe(true);
      const sent = new Promise<void>((resolve) => {
        node.queries.onQuery = (statement) => /(^|; )UPDATE|FOR UPDATE$/.test(statement) && resolve();
      });
      written = nullIfStale<unknown>(ACTIONS[action](waiting, session, session.authToken));
      await (action === 'refresh' ? Promise.race([sent, written]) : sent);
    });
    expect(await written).toBeNull();
    expect(await ending.get({ id: session.id, status: 'all' }, { autoExtend: false })).toMatchObject(
      table === 'keeping' ? { revokedAt: at(5), revokedReason: 'compromised' } : { expiresAt: at(5) },
    );
  });
});
