import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionsModule, SessionsTable } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { Cluster } from '../support/cluster.js';
import { atOnce, inRounds, roundsOn } from './rounds.js';
import { SERVERS } from '../support/databases.js';

class Sessions extends SessionsTable({
  lastUse: true,
  extraFields: { note: { type: 'string', nullable: true } },
}) {}

const DAY_MS = 86_400_000;
const NOW = new Date('2026-04-01T00:00:00.000Z');
const at = (ms: number): Date => new Date(NOW.getTime() + ms);
const SESSIONS = 5;

describe.each(SERVERS)('sessions that are extended while transactions change them on %s', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(name, 'sessions', SessionsModule.forFeature(Sessions));
    for (const node of cluster.nodes) node.clock = () => NOW;
  });
  afterAll(() => cluster.stop());

  const sessions = (i = 0): Sessions => cluster.nodes[i % 2]!.get(Sessions);

  const flushAll = () =>
    Promise.all(cluster.nodes.map((node) => node.get(SessionsRegistry).store(Sessions).lastUse!.flush()));

  it('are let in, on every node, and no transaction fails for them', async () => {
    const all: { authToken: string }[] = [];
    await inRounds(roundsOn(name), async (i) => {
      const created = await atOnce(SESSIONS, (n) => sessions(n).create({ expiresAt: at(DAY_MS) }, { extend: true }));
      all.push(...created);
      // In the opposite order of those that are read together.
      const changing = cluster.nodes[i % 2]!.dataSource.transaction(async (manager) => {
        for (const session of created.toReversed()) await sessions(i).update(session, { note: 'seen' }, { manager });
      });
      const requests = atOnce(4 * SESSIONS, (n) => sessions(n).authenticate(created[n % SESSIONS]!.authToken));
      const [found] = await Promise.all([requests, changing, flushAll()]);
      expect(found.map((session) => session?.id)).toEqual(found.map((_, n) => created[n % SESSIONS]!.id));
    });
    // Now nothing is locked.
    await flushAll();
    for (const { authToken } of all) {
      expect(await sessions().authenticate(authToken)).toMatchObject({ expiresAt: at(7 * DAY_MS), note: 'seen' });
    }
  });
});
