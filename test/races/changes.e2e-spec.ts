import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionsModule, SessionsTable } from '@app/sessions';
import { Cluster, type Node } from '../support/cluster.js';
import { describeDatabases } from '../support/databases.js';
import { atOnce, inRounds, nullIfStale, roundsOn } from './rounds.js';

class Sessions extends SessionsTable({ revocation: true }) {}

describeDatabases('changes of one session by requests on two nodes', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(name, 'sessions', SessionsModule.forFeature(Sessions));
    // They stand, so that every change of a node is of the same millisecond; and that of the second is late.
    const now = Date.now();
    cluster.nodes.forEach((node, i) => (node.clock = () => new Date(now - i * 5000)));
  });
  afterAll(() => cluster.stop());

  const at = (i: number): Node => cluster.nodes[i % 2]!;
  const rounds = roundsOn(name);

  it('lose none of the keys that they set and take away', async () => {
    await inRounds(rounds, async () => {
      const before = { ...Object.fromEntries(Array.from({ length: 4 }, (_, i) => [`old${i}`, i])), stays: true };
      const session = await at(0).get(Sessions).create({ data: before });
      await atOnce(4, (i) =>
        at(i)
          .get(Sessions)
          .patchData(session, { [`new${i}`]: i, [`old${i}`]: undefined }),
      );
      const after = Object.fromEntries(Array.from({ length: 4 }, (_, i) => [`new${i}`, i]));
      expect(await at(0).get(Sessions).dataOf(session)).toEqual({ ...after, stays: true });
    });
  });

  it('are all counted where each is made only of what was read, and tried again', async () => {
    await inRounds(Math.ceil(rounds / 4), async () => {
      const { id } = await at(0)
        .get(Sessions)
        .create({ data: { visits: 0 } });
      const results = await atOnce(4, async (i) => {
        const sessions = at(i).get(Sessions);
        for (let tries = 1; ; tries++) {
          const session = await sessions.getOrFail({ id });
          const data = { visits: Number(session.data['visits']) + 1 };
          if (await nullIfStale(sessions.update(session, { data }, { ifUnchanged: true }))) return tries;
        }
      });
      expect(results).toHaveLength(4);
      expect(await at(0).get(Sessions).dataOf({ id })).toEqual({ visits: 4 });
    });
  });

  it('give a token that may be used once to one of a hundred, and tell of it once', async () => {
    let told = 0;
    const listening = cluster.nodes.map((node) =>
      node.get(Sessions).events.subscribe(({ type }) => (told += Number(type === 'revoked'))),
    );
    await inRounds(Math.ceil(rounds / 20), async () => {
      const { authToken, id } = await at(0).get(Sessions).create({});
      const taken = await atOnce(100, (i) => at(i).get(Sessions).takeOnce({ authToken }));
      expect(taken.filter((session) => session !== null)).toEqual([expect.objectContaining({ id })]);
    });
    for (const subscription of listening) subscription.unsubscribe();
    expect(told).toBe(Math.ceil(rounds / 20));
  });
});
