import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExpiryJob } from '../../libs/sessions/src/module/expiry.job.js';
import { deletedElsewhere } from '../../libs/sessions/src/module/messages.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { SEVERAL_WRITERS } from '../../libs/sessions/src/table/checks/messages.js';
import { type GaleraCluster, hasGalera, startGalera } from '../support/galera-cluster.js';
import { UNTIL_IT_HANGS } from '../support/until.js';
import { DELETED, PruningApp, Sessions } from './pruning-app.js';

const NODES = 3;
const ROUNDS = 20;
/** Several batches. */
const ROWS = 600;

if (!hasGalera)
  console.log('SKIPPED: nodes of Galera, which is not installed (Debian: apt-get install galera-4 rsync).');

describe.runIf(hasGalera)('of applications on three nodes of Galera, each of which takes writes', () => {
  let cluster: GaleraCluster;
  const apps: PruningApp[] = [];
  beforeAll(async () => {
    cluster = await startGalera(NODES);
    for (const url of cluster.urls) {
      const database = {
        name: 'mariadb',
        options: { type: 'mariadb', url },
        url,
        drop: async () => undefined,
      } as const;
      apps.push(await PruningApp.start(database, { pruning: false, synchronize: apps.length === 0 }));
    }
  });
  afterAll(async () => {
    for (const app of apps) await app.close();
    await cluster?.stop();
  });

  it('each is warned at its start', () => {
    for (const { logs } of apps) expect(logs.matching(SEVERAL_WRITERS)).toHaveLength(1);
  });

  it('one does the work of the expiry job, and the others leave it that, whoever is the first', async () => {
    const run = async (app: PruningApp): Promise<void> => {
      await app.module.get(ExpiryJob).run(app.module.get(SessionsRegistry).store(Sessions));
    };
    const lines = (pattern: RegExp | string): string[] => apps.flatMap(({ logs }) => logs.matching(pattern));
    // A node applies what others have written a moment after they have committed it.
    const allHave = async (rows: number): Promise<void> => {
      const left = async (): Promise<number[]> => Promise.all(apps.map((app) => app.left()));
      await expect.poll(left, UNTIL_IT_HANGS).toEqual(apps.map(() => rows));
    };
    for (let round = 1; round <= ROUNDS; round++) {
      await apps[round % NODES]!.addExpired(ROWS);
      await allHave(ROWS);
      await Promise.all(apps.map(run));
      const deleted = lines(DELETED);
      expect(deleted).toHaveLength(round);
      expect(deleted.every((text) => text.startsWith(`Deleted ${ROWS} `))).toBe(true);
    }
    expect(lines(deletedElsewhere('sessions')).length).toBeGreaterThan(0);
    expect(lines(/fail|deadlock/i)).toEqual([]);
    await allHave(0);
  });
});
