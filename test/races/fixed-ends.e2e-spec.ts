import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionsModule, SessionsTable } from '@app/sessions';
import { Cluster } from '../support/cluster.js';
import { describeDatabases } from '../support/databases.js';
import { atOnce, inRounds, nullIfStale, roundsOn } from './rounds.js';

class Sessions extends SessionsTable({ freshness: true, rotation: true }) {}

const HOUR_MS = 3_600_000;

describeDatabases('an end that an administrator gives while the session is used', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(name, 'sessions', SessionsModule.forFeature(Sessions));
  });
  afterAll(() => cluster.stop());

  // Earlier than the one that was seen, and later: what use then finds is an end that it could lengthen.
  it.each([1, 3])('is moved by nothing that is under way: %i hours, where the session had two', async (hours) => {
    await inRounds(roundsOn(name) / 2, async () => {
      const [using, administrating] = cluster.nodes.map((node) => node.get(Sessions)) as [Sessions, Sessions];
      const now = Date.now();
      const session = await using.create({ expiresAt: new Date(now + 2 * HOUR_MS) }, { extend: true });
      const given = new Date(now + hours * HOUR_MS);
      const used = atOnce(4, (i) =>
        nullIfStale<unknown>(
          [
            () => using.authenticate(session.authToken),
            () => using.get({ id: session.id }),
            () => using.refresh(session),
            () => using.reauthenticate(session),
          ][i]!(),
        ),
      );
      // Where use was first, it has made the end later, so that only its id names the session.
      const [updated] = await Promise.all([administrating.update({ id: session.id }, { expiresAt: given }), used]);
      expect(updated.expiresAt).toEqual(given);
      expect(await using.getOrFail({ id: session.id })).toMatchObject({ expiresAt: given });
    });
  });
});
