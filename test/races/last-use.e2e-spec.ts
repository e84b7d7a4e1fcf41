import { Logger } from '@nestjs/common';
import { In } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionsModule, SessionsTable } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/sessions.registry.js';
import { Cluster } from '../support/cluster.js';
import { describeDatabases } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { atOnce, inRounds, roundsOn } from './rounds.js';

class Sessions extends SessionsTable({
  lastUse: { ip: true },
  revocation: true,
  extraFields: { userId: { type: 'string', index: true } },
}) {}

const NOW = new Date('2026-04-01T00:00:00.000Z');
const SESSIONS = 4;

describeDatabases('the last use of sessions, written while requests end them,', (name) => {
  const log = new LogCapture();
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(name, 'sessions', SessionsModule.forFeature(Sessions));
    for (const node of cluster.nodes) node.clock = () => NOW;
    Logger.overrideLogger(log);
  });
  afterAll(async () => {
    Logger.overrideLogger(undefined as never);
    await cluster.stop();
  });

  const sessions = (i = 0): Sessions => cluster.nodes[i % 2]!.get(Sessions);
  const flush = (i: number) => cluster.nodes[i % 2]!.get(SessionsRegistry).store(Sessions).lastUse!.flush();

  /** Sessions of two owners, each used on both nodes, by which it is to be written down. */
  async function usedSessions(i: number) {
    const created = await atOnce(SESSIONS, (n) => sessions(n).create({ userId: `${i}-${n % 2}` }));
    await Promise.all(
      created.flatMap(({ authToken }, n) =>
        [0, 1].map((node) => sessions(node).authenticate(authToken, { use: { ip: `192.0.2.${n % 3}` } })),
      ),
    );
    return created;
  }

  /** Writes the uses on both nodes while requests end some of the sessions. */
  async function flushAmong(...ends: Promise<unknown>[]): Promise<void> {
    await Promise.all([flush(0), ...ends, flush(1)]);
    expect(log.lines).toEqual([]);
  }

  const stored = async ({ id }: { id: string }) => sessions().get({ id, status: 'all' }, { autoExtend: false });

  it('brings none back that was deleted', async () => {
    await inRounds(roundsOn(name), async (i) => {
      const [kept, ...ended] = await usedSessions(i);
      await flushAmong(...ended.map(async (session, n) => expect(await sessions(n).delete(session)).toBe(true)));
      await Promise.all([flush(0), flush(1)]);
      expect(await atOnce(ended.length, (n) => stored(ended[n]!))).toEqual(ended.map(() => null));
      expect(await stored(kept!)).toMatchObject({ lastUsedAt: NOW, lastUsedIp: '192.0.2.0' });
    });
  });

  it('brings none back that was revoked, and keeps when and why (ASVS 7.4.1)', async () => {
    await inRounds(roundsOn(name), async (i) => {
      const [kept, ...ended] = await usedSessions(i);
      await flushAmong(...ended.map(async (session, n) => expect(await sessions(n).revoke(session)).toBe(true)));
      const rows = await atOnce(ended.length, (n) => stored(ended[n]!));
      expect(rows.map((row) => [row!.revokedAt, row!.revokedReason])).toEqual(ended.map(() => [NOW, 'signed_out']));
      await Promise.all(
        ended.flatMap(({ authToken }) =>
          [0, 1].map(async (n) => expect(await sessions(n).authenticate(authToken)).toBeNull()),
        ),
      );
      await Promise.all([flush(0), flush(1)]);
      expect(await atOnce(ended.length, (n) => stored(ended[n]!))).toEqual(rows);
      expect(await stored(kept!)).toMatchObject({ lastUsedAt: NOW });
    });
  });

  it.each([
    ['deletes', (i: number, userId: string) => sessions(i).deleteAll({ userId })],
    ['revokes', (i: number, userId: string) => sessions(i).revokeAll({ userId })],
  ])('hinders nobody who %s all of an owner’s, nor is it hindered', async (_, endAll) => {
    for (let i = 0; i < roundsOn(name) / 4; i++) {
      const created = await usedSessions(i);
      await flushAmong(endAll(i, `${i}-1`).then((count) => expect(count).toBe(SESSIONS / 2)));
      await Promise.all([flush(0), flush(1)]);
      const valid = await sessions().list({ userId: In([`${i}-0`, `${i}-1`]) }, { order: { id: 'ASC' } });
      const kept = created.filter(({ userId }) => userId === `${i}-0`);
      expect(valid.map(({ id }) => id)).toEqual(kept.map(({ id }) => id).toSorted());
      expect(valid.map(({ lastUsedAt }) => lastUsedAt)).toEqual(kept.map(() => NOW));
    }
  });

  // BUG: MariaDB finds the rows of revokeAll() and deleteAll() by the indexes on `userId` and on `revokedAt` together
  // (index_merge), so that a statement for one owner locks the unrevoked sessions of all.
  it('hinders nobody who ends those of different owners at once', async () => {
    await inRounds(roundsOn(name), async (i) => {
      await usedSessions(i);
      await flushAmong(sessions(i).deleteAll({ userId: `${i}-1` }), sessions(i + 1).revokeAll({ userId: `${i}-0` }));
    });
  });
});
