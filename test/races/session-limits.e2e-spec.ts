import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionLimitError, SessionsModule, SessionsTable, UnsupportedQueryError } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { Cluster } from '../support/cluster.js';
import { type DatabaseName, describeDatabases, mysqlAlike, SERVERS } from '../support/databases.js';
import { atOnce, inRounds, rounds, roundsOn } from './rounds.js';

const extraFields = { userId: { type: 'string', index: true } } as const;

class Rejecting extends SessionsTable({
  table: 'rejecting',
  extraFields,
  sessionLimits: { userId: { max: 5, whenFull: 'reject' } },
}) {}

class EndingOldest extends SessionsTable({
  table: 'ending_oldest',
  extraFields,
  revocation: true,
  sessionLimits: { userId: { max: 5 } },
}) {}

class EndingLeastUsed extends SessionsTable({
  table: 'ending_least_used',
  extraFields,
  lastUse: true,
  sessionLimits: { userId: { max: 5, whenFull: 'endLeastRecentlyUsed' } },
}) {}

class Pairs extends SessionsTable({ table: 'pairs', extraFields, sessionLimits: { userId: { max: 2 } } }) {}

class StrictPairs extends SessionsTable({
  table: 'strict_pairs',
  extraFields,
  sessionLimits: { userId: { max: 2, whenFull: 'reject' } },
}) {}

const TABLES = [Rejecting, EndingOldest, EndingLeastUsed, Pairs, StrictPairs] as unknown as (typeof Pairs)[];
const [rejecting, endingOldest, endingLeastUsed, pairs, strictPairs] = TABLES as [
  typeof Pairs,
  typeof Pairs,
  typeof Pairs,
  typeof Pairs,
  typeof Pairs,
];

type LoggedIn = Awaited<ReturnType<Pairs['create']>>;

const LOG_INS = 100;
const ROUNDS = rounds(10);
const NOW = Date.parse('2026-04-01T00:00:00.000Z');
const at = (ms: number): Date => new Date(NOW + ms);

async function startCluster(name: DatabaseName): Promise<Cluster> {
  return Cluster.start(name, 'pairs', ...TABLES.map((table) => SessionsModule.forFeature(table)));
}

/** The log-ins that succeeded; the others were refused for the limit, and for nothing else. */
async function logIns(count: number, logIn: (i: number) => Promise<LoggedIn>): Promise<LoggedIn[]> {
  const sessions = await atOnce(count, (i) => logIn(i).catch(nullIfFull));
  return sessions.filter((session) => session !== null);
}

function nullIfFull(error: unknown): null {
  if (error instanceof SessionLimitError) return null;
  throw error;
}

const idsOf = (sessions: readonly { id: string }[]): string[] => sessions.map(({ id }) => id).toSorted();

describeDatabases('log-ins at once of one owner who may have few sessions', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(name);
  });
  afterAll(() => cluster.stop());
  beforeEach(() => {
    for (const node of cluster.nodes) node.clock = () => at(0);
  });

  // SQLite belongs to one process, and what waits its turn there is the process's own.
  const nodes = name === 'sqlite' ? 1 : 2;
  const sessions = (table: typeof Pairs, i = 0): Pairs => cluster.nodes[i % nodes]!.get(table);
  const logInto = (table: typeof Pairs, userId: string) => (i: number) => sessions(table, i).create({ userId });
  const valid = (table: typeof Pairs, userId: string) => sessions(table).list({ userId });

  /** Counts an owner's valid sessions, on both nodes, until the work is done; the most that there ever were. */
  async function mostDuring(table: typeof Pairs, userId: string, work: Promise<unknown>): Promise<number> {
    const seen = { most: 0, all: false };
    const done = work.finally(() => (seen.all = true));
    const watch = async (i: number): Promise<void> => {
      while (!seen.all) seen.most = Math.max(seen.most, await sessions(table, i).count({ userId }));
    };
    await Promise.all([done, watch(0), watch(1)]);
    return seen.most;
  }

  it('are refused where it is full: 5 of 100 succeed, and nothing else goes wrong (ASVS 7.1.2)', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const userId = `reject-${round}`;
      const all = logIns(LOG_INS, logInto(rejecting, userId));
      expect(await mostDuring(rejecting, userId, all)).toBeLessThanOrEqual(5);
      expect(await all).toHaveLength(5);
      expect(idsOf(await valid(rejecting, userId))).toEqual(idsOf(await all));
    }
  });

  it.each([
    ['ending_oldest', endingOldest],
    ['ending_least_used', endingLeastUsed],
  ])(
    'all succeed where that ends others, and 5 of 100 stay, among them the newest: %s (ASVS 7.1.2)',
    async (_, table) => {
      for (let round = 0; round < ROUNDS; round++) {
        const userId = `oldest-${round}`;
        const all = logIns(LOG_INS, logInto(table, userId));
        const most = await mostDuring(table, userId, all);
        // On SQLite, which has no transactions here, the new session is there before the old one ends.
        expect(most).toBeLessThanOrEqual(name === 'sqlite' ? 6 : 5);
        const created = await all;
        expect(created).toHaveLength(LOG_INS);
        const stay = idsOf(await valid(table, userId));
        expect(stay).toHaveLength(5);
        // Sessions of the same millisecond are in the order of their ids; the fifth is whichever was stored last.
        expect(stay).toEqual(expect.arrayContaining(idsOf(created).slice(-4)));
      }
    },
  );

  it('leave alone those that were used since, where the limit says so (ASVS 7.1.2)', async () => {
    const userId = 'used';
    const [used, others] = await Promise.all([3, 2].map((count) => logIns(count, logInto(endingLeastUsed, userId))));
    const [node] = cluster.nodes;
    node.clock = () => at(2);
    await Promise.all(used!.map(({ authToken }) => node.get(endingLeastUsed).authenticate(authToken)));
    await node.get(SessionsRegistry).store(endingLeastUsed).lastUse!.flush();
    node.clock = cluster.nodes[1].clock = () => at(1);
    await logIns(LOG_INS, logInto(endingLeastUsed, userId));
    const stay = idsOf(await valid(endingLeastUsed, userId));
    expect(stay).toHaveLength(5);
    expect(stay).toEqual(expect.arrayContaining(idsOf(used!)));
    expect(stay).not.toEqual(expect.arrayContaining(idsOf(others!)));
  });

  it('never are too many, whatever the clocks of the nodes say (ASVS 7.1.2)', async () => {
    for (const skew of [0, 5000, -5000]) {
      cluster.nodes[1].clock = () => at(skew);
      await inRounds(Math.ceil(roundsOn(name) / 3), async (i) => {
        const table = [pairs, strictPairs][i % 2]!;
        const userId = `small-${skew}-${i}`;
        const created = await logIns(10, logInto(table, userId));
        expect(created).toHaveLength(table === pairs ? 10 : 2);
        const rows = await sessions(table).list({ userId, status: 'all' });
        const unended = rows.filter(({ expiresAt, updatedAt }) => expiresAt! > updatedAt);
        expect(unended).toHaveLength(2);
        expect(idsOf(created)).toEqual(expect.arrayContaining(idsOf(unended)));
      });
    }
  });

  it('replace one session once', async () => {
    await inRounds(roundsOn(name) / 4, async (i) => {
      const userId = `replace-${i}`;
      const [replaced, other] = await logIns(2, logInto(strictPairs, userId));
      const created = await logIns(10, (n) => sessions(strictPairs, n).signIn({ userId }, { replaces: replaced! }));
      expect(created).toHaveLength(1);
      expect(idsOf(await valid(strictPairs, userId))).toEqual(idsOf([other!, ...created]));
    });
  });

  it('of different owners do not get in each other’s way', async () => {
    for (const table of [rejecting, endingOldest, endingLeastUsed, pairs]) {
      const created = await atOnce(LOG_INS, (i) =>
        Promise.all([0, 1].map((n) => sessions(table, i + n).create({ userId: `own-${i}` }))),
      );
      const counts = await atOnce(LOG_INS, (i) => sessions(table, i).count({ userId: `own-${i}` }));
      expect(counts).toEqual(created.map(() => 2));
      // Ten more for each of ten of the owners, of which three find room where others are not ended.
      const again = await logIns(LOG_INS, (i) => sessions(table, i).create({ userId: `own-${i % 10}` }));
      expect(again).toHaveLength(table === rejecting ? 30 : LOG_INS);
    }
  });
});

type Isolation = 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';
const DEFAULT_ISOLATION = mysqlAlike({ postgres: 'READ COMMITTED', mariadb: 'REPEATABLE READ' });

describe.each(SERVERS)('log-ins in transactions of the application on %s', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(name);
    for (const node of cluster.nodes) node.clock = () => at(0);
  });
  afterAll(() => cluster.stop());

  type Outcome = 'in' | 'full' | 'undone' | 'left' | 'unsupported';

  /** What became of a transaction: the database may undo one for the sake of others, and the application tries it again. */
  function outcomeOf(error: unknown): Outcome {
    if (error instanceof SessionLimitError) return 'full';
    if (error instanceof UnsupportedQueryError) return 'unsupported';
    if (error === LEFT) return 'left';
    if (/Deadlock found|could not serialize access/.test(String(error))) return 'undone';
    throw error;
  }

  /** An error of the application after the log-in. */
  const LEFT = new Error('The application leaves its transaction.');

  /** Log-ins at once of so many owners, each in a transaction whose view of the table may be of a time before. */
  async function logInWithin(
    table: typeof Pairs,
    userIds: readonly string[],
    {
      isolation = DEFAULT_ISOLATION[name],
      leaves = () => false,
    }: { isolation?: Isolation; leaves?: (i: number) => boolean } = {},
  ): Promise<Outcome[]> {
    return atOnce(userIds.length, async (i) => {
      const node = cluster.nodes[i % 2]!;
      const sessions = node.get(table);
      const userId = userIds[i]!;
      return node.dataSource
        .transaction(isolation, async (manager): Promise<Outcome> => {
          await sessions.query({ userId }, { manager }).all();
          await sessions.create({ userId }, { manager });
          if (leaves(i)) throw LEFT;
          return 'in';
        })
        .catch(outcomeOf);
    });
  }

  const countOf = (outcomes: readonly Outcome[], outcome: Outcome) => outcomes.filter((it) => it === outcome).length;
  const valid = (table: typeof Pairs, userId: string) => cluster.nodes[0].get(table).count({ userId });

  const limits = [
    ['refused', rejecting],
    ['ended', endingOldest],
  ] as const;

  it.each(limits)('never are too many: the others are %s (ASVS 7.1.2)', async (others, table) => {
    for (let round = 0; round < ROUNDS; round++) {
      const userId = `within-${others}-${round}`;
      const outcomes = await logInWithin(table, Array<string>(30).fill(userId));
      const undone = countOf(outcomes, 'undone');
      expect(undone).toBeLessThanOrEqual(name === 'postgres' ? 0 : 25);
      expect(countOf(outcomes, 'in')).toBe(table === rejecting ? 5 : 30 - undone);
      expect(await valid(table, userId)).toBe(5);
    }
  });

  it('leave room when their transaction is undone', async () => {
    let left = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const userId = `left-${round}`;
      const outcomes = await logInWithin(rejecting, Array<string>(30).fill(userId), { leaves: (i) => i % 3 !== 0 });
      left += countOf(outcomes, 'left');
      expect(countOf(outcomes, 'in')).toBe(5);
      expect(await valid(rejecting, userId)).toBe(5);
    }
    expect(left).toBeGreaterThan(0);
  });

  // Under REPEATABLE READ, MariaDB locks the gaps between owners, in which the others insert theirs.
  it('of different owners do not get in each other’s way', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const userIds = Array.from({ length: 30 }, (_, i) => `of-${round}-${i}`);
      const outcomes = await logInWithin(endingOldest, userIds, { isolation: 'READ COMMITTED' });
      expect(countOf(outcomes, 'in')).toBe(30);
    }
  });

  it.each(limits)(
    'never are too many in transactions that keep their view: the others are %s (ASVS 7.1.2)',
    async (_, table) => {
      const outcomes = await logInWithin(table, Array<string>(30).fill('kept'), { isolation: 'REPEATABLE READ' });
      // On PostgreSQL such a transaction cannot know how many there are.
      expect(countOf(outcomes, 'unsupported')).toBe(name === 'postgres' ? 30 : 0);
      expect(await valid(table, 'kept')).toBe(name === 'postgres' ? 0 : 5);
    },
  );

  // InnoDB lets the reads of SERIALIZABLE transactions lock each other out.
  it.runIf(name === 'postgres').each(limits)(
    'never are too many in serializable transactions: the others are %s (ASVS 7.1.2)',
    async (_, table) => {
      const outcomes = await logInWithin(table, Array<string>(30).fill('apart'), { isolation: 'SERIALIZABLE' });
      expect(countOf(outcomes, 'in')).toBeGreaterThan(0);
      expect(await valid(table, 'apart')).toBe(Math.min(5, countOf(outcomes, 'in')));
    },
  );
});
