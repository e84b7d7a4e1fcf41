import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { SessionsModule, SessionsTable } from '@app/sessions';
import { Cluster } from '../support/cluster.js';
import { describeDatabases } from '../support/databases.js';
import { atOnce, inRounds, nullIfStale, roundsOn } from './rounds.js';

class Sessions extends SessionsTable({ rotation: true, revocation: true, rotationGrace: '30s' }) {}

const SECOND = 1000;
const GRACE_MS = 30 * SECOND;
const NOW = Date.parse('2026-04-01T00:00:00.000Z');

describeDatabases('requests that rotate one session at once', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(name, 'sessions', SessionsModule.forFeature(Sessions));
  });
  afterAll(() => cluster.stop());
  beforeEach(() => setClocks(0));

  const sessions = (i = 0): Sessions => cluster.nodes[i % 2]!.get(Sessions);

  /** So long after the start, on a second node whose clock differs. */
  function setClocks(ms: number, skew = 0): void {
    cluster.nodes[0].clock = () => new Date(NOW + ms);
    cluster.nodes[1].clock = () => new Date(NOW + ms + skew);
  }

  /** One request: it comes with a token, and takes a new one if it can. */
  async function request(i: number, token: string): Promise<string | null> {
    const session = await sessions(i).authenticate(token);
    expect(session, 'the client is logged in').not.toBeNull();
    return (await sessions(i).rotate(session!))?.authToken ?? null;
  }

  /** Requests at once with the same token, which some present only while others rotate already. */
  async function rotateAtOnce(token: string): Promise<string[]> {
    const copies = await atOnce(2, (i) => sessions(i).authenticate(token));
    const early = copies.map(async (copy, i) => (await sessions(i).rotate(copy!))?.authToken ?? null);
    const late = Array.from({ length: 4 }, (_, i) => request(i, token));
    return (await Promise.all([...early, ...late])).filter((given) => given !== null);
  }

  const found = (token: string) => atOnce(2, async (i) => (await sessions(i).authenticate(token))?.id);

  it.each([0, 5 * SECOND, -5 * SECOND])(
    'give out one token, and the one before works meanwhile, whatever the clocks say (%s ms)',
    async (skew) => {
      setClocks(0, skew);
      await inRounds(roundsOn(name) / 2, async () => {
        const { id, authToken } = await sessions().create({});
        const given = await rotateAtOnce(authToken);
        expect(given).toHaveLength(1);
        expect([await found(authToken), await found(given[0]!)]).toEqual([
          [id, id],
          [id, id],
        ]);
      });
    },
  );

  it('give out nothing to those who come with the token before', async () => {
    await inRounds(roundsOn(name), async () => {
      const { authToken } = await sessions().create({});
      await rotateAtOnce(authToken);
      const late = await atOnce(4, (i) => request(i, authToken));
      expect(late).toEqual(Array(4).fill(null));
    });
  });

  it('never log out a client that goes on with the token it was given last, nor its slow requests', async () => {
    const clients = await atOnce(roundsOn(name) / 5, async () => (await sessions().create({})).authToken);
    for (let step = 0; step < 6; step++) {
      const ms = step * 2 * GRACE_MS;
      const skew = [0, 5 * SECOND, -5 * SECOND][step % 3]!;
      setClocks(ms, skew);
      const slow = [...clients];
      await inRounds(clients.length, async (i) => {
        const given = await rotateAtOnce(clients[i]!);
        expect(given).toHaveLength(1);
        [clients[i]] = given as [string];
      });
      setClocks(ms + GRACE_MS - 6 * SECOND, skew);
      await inRounds(clients.length, async (i) => {
        expect(await request(i, slow[i]!)).toBeNull();
      });
    }
    await inRounds(clients.length, async (i) => void (await request(i, clients[i]!)));
  });

  it('never log out a client whose request was overtaken by two that rotated', async () => {
    const { id, authToken } = await sessions().create({});
    const second = await request(0, authToken);
    await request(1, second!);
    expect(await found(authToken)).toEqual([id, id]);
  });

  it('end it where one of them comes with a token from before the grace period (RFC 9700 §4.14.2)', async () => {
    const stolen = await atOnce(roundsOn(name), async () => {
      const { id, authToken } = await sessions().create({});
      return { id, old: authToken, current: (await request(0, authToken))! };
    });
    setClocks(GRACE_MS);
    await inRounds(stolen.length, async (i) => {
      const { id, old, current } = stolen[i]!;
      const thieves = atOnce(4, (node) => sessions(node).authenticate(old));
      const victims = atOnce(2, (node) => sessions(node).authenticate(current));
      expect(await thieves).toEqual(Array(4).fill(null));
      await victims;
      expect([await found(old), await found(current)].flat()).toEqual(Array(4).fill(undefined));
      expect(await sessions().get({ id, status: 'all' })).toMatchObject({ revokedReason: 'token_reuse' });
    });
  });

  it('end it once, with the reason of whoever was first: a log-out, or a token from before the grace period', async () => {
    const stolen = await atOnce(roundsOn(name), async () => {
      const { id, authToken } = await sessions().create({});
      await request(0, authToken);
      return { id, old: authToken };
    });
    setClocks(GRACE_MS);
    await inRounds(stolen.length, async (i) => {
      const { id, old } = stolen[i]!;
      const thief = sessions(i + 1).authenticate(old);
      for (let reads = i % 3; reads > 0; reads--) await sessions(i).count({ id });
      const revoked = await sessions(i).revoke({ id }, { reason: 'compromised' });
      expect(await thief).toBeNull();
      const { revokedReason } = (await sessions().get({ id, status: 'all' }))!;
      expect(revokedReason).toBe(revoked ? 'compromised' : 'token_reuse');
    });
  });

  it('leave nothing to a thief who is overtaken by a rotation, and no token to a session that a thief ended', async () => {
    const stolen = await atOnce(roundsOn(name), async () => {
      const { id, authToken } = await sessions().create({});
      const current = (await request(0, authToken))!;
      return { id, old: authToken, copy: (await sessions(1).authenticate(current))! };
    });
    setClocks(GRACE_MS);
    /** So that now one comes first, now the other, on SQLite too, where a lookup waits for nothing, and a write for its turn. */
    const after = async <T>(reads: number, id: string, call: () => Promise<T>): Promise<T> => {
      for (let i = 0; i < reads; i++) {
        await sessions(i).get({ id });
        await setImmediate();
      }
      return call();
    };
    const ended = { yes: 0, no: 0 };
    await inRounds(stolen.length, async (i) => {
      const { id, old, copy } = stolen[i]!;
      const [rotated, ...thieves] = await Promise.all([
        after(i % 4, id, () => nullIfStale(sessions(i).rotate(copy))),
        after((i >> 2) % 4, id, () => sessions(i + 1).authenticate(old)),
        after((i >> 2) % 4, id, () => sessions(i).authenticate(old)),
      ]);
      expect(thieves).toEqual([null, null]);
      const { revokedAt } = (await sessions().get({ id, status: 'all' }))!;
      ended[revokedAt ? 'yes' : 'no']++;
      const ofVictim = rotated && (await found(rotated.authToken));
      expect(ofVictim).toEqual(revokedAt ? rotated && [undefined, undefined] : [id, id]);
    });
    expect(Math.min(ended.yes, ended.no), 'both happened').toBeGreaterThan(0);
  });
});
