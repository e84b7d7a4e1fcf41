import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Prepared, TypeOrmAdapter } from '@app/sessions';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { CachingNode } from '../cache/support/nodes.js';
import { inRounds, rounds } from './rounds.js';

const ROUNDS = rounds(200);
const READERS = 4;

/** An adapter whose lookups have the row, and give it when they are let go. */
class HeldAdapter extends TypeOrmAdapter {
  /** While it is there, what lookups wait for after the database has answered. */
  gate: Promise<void> | undefined;
  answered = 0;

  override async fetch(prepared: Prepared, params?: Record<string, unknown>, max?: number) {
    const rows = await super.fetch(prepared, params, max);
    this.answered++;
    await this.gate;
    return rows;
  }
}

describe.runIf(inject('postgresUrl'))('near caches of two nodes under load', () => {
  let database: TestDatabase;
  let one: CachingNode;
  let other: CachingNode;
  let held!: HeldAdapter;
  beforeAll(async () => {
    database = await createDatabase('postgres');
    one = await CachingNode.start(database, { cache: { ttl: '1h' } });
    other = await CachingNode.start(database, {
      cache: { ttl: '1h' },
      adapter: (dataSource) => (held = new HeldAdapter(dataSource)),
    });
    const { authToken } = await one.sessions.create({ userId: 'u1' });
    for (const node of [one, other]) await node.until(authToken, true);
  });
  afterAll(async () => {
    await one.stop();
    await other.stop();
    await database.drop();
  });

  it('never keep a row that was read before its revocation, however late it arrives (ASVS 7.4.1)', async () => {
    for (let round = 0; round < rounds(20); round++) {
      const session = await one.sessions.create({ userId: 'u1' });
      let open!: () => void;
      held.gate = new Promise((resolve) => (open = resolve));
      const before = held.answered;
      const early = other.sessions.authenticate(session.authToken);
      await expect.poll(() => held.answered, { interval: 1 }).toBe(before + 1);
      await one.sessions.revoke(session);
      // A later message of the same channel has arrived, and so has this one.
      held.gate = undefined;
      const marker = await one.sessions.create({ userId: 'marker' });
      await other.until(marker.authToken, true);
      await one.sessions.revoke(marker);
      await other.untilRefused(marker.authToken);
      open();
      // It was asked for before the session was revoked.
      await early;
      expect(await other.sessions.authenticate(session.authToken)).toBeNull();
    }
  });

  it('refuse every revoked session, on the node that did it at once, and for good as soon as they have refused it (ASVS 7.4.1)', async () => {
    await inRounds(ROUNDS, async () => {
      const session = await one.sessions.create({ userId: 'u1' });
      const { authToken } = session;
      const over = new AbortController();
      const reader = async (node: CachingNode): Promise<boolean[]> => {
        const answers: boolean[] = [];
        while (!over.signal.aborted) {
          answers.push((await node.sessions.authenticate(authToken)) !== null);
          await setTimeout(0);
        }
        return answers;
      };
      const readers = Array.from({ length: READERS }, () => reader(other));
      await other.sessions.authenticate(authToken);
      await one.sessions.authenticate(authToken);
      await one.sessions.revoke(session);
      expect(await one.sessions.authenticate(authToken)).toBeNull();
      await other.untilRefused(authToken);
      const late = await Promise.all(Array.from({ length: READERS }, () => other.sessions.authenticate(authToken)));
      expect(late.filter(Boolean)).toEqual([]);
      over.abort();
      // What each was told: yes for a while, then no.
      for (const answers of await Promise.all(readers))
        expect(answers).toEqual(answers.toSorted((a, b) => Number(b) - Number(a)));
    });
  });
});
