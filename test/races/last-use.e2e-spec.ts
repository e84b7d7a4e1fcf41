import { Logger } from '@nestjs/common';
import { In } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionsModule, SessionsTable } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { Cluster } from '../support/cluster.js';
import { describeDatabases } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { atOnce, inRounds, roundsOn } from './rounds.js';

class Sessions extends SessionsTable({
  lastUse: { ip: true },
  revocation: true,
  extraFields: { userId: { type: 'string', index: true } },
}) {}

type Used = Awaited<ReturnType<Sessions['create']>>;

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

  // One after the other: each writes down whatever was noted.
  const rounds = roundsOn(name);

  let owners = 0;

  /** Sessions of two owners in turn, each used on both nodes, by which it is to be written down. */
  async function usedSessions() {
    const userIds = [`user-${owners++}`, `user-${owners++}`];
    const created = await atOnce(SESSIONS, (n) => sessions(n).create({ userId: userIds[n % 2]! }));
    await Promise.all(
      created.flatMap(({ authToken }, n) =>
        [0, 1].map((node) => sessions(node).authenticate(authToken, { use: { ip: `192.0.2.${n % 3}` } })),
      ),
    );
    return created;
  }

  /** Writes the uses on both nodes while requests end some of the sessions, or when the first of them has. */
  async function flushAmong<T>(i: number, ...ends: Promise<T>[]): Promise<T[]> {
    if (i % 2 === 1) await ends[0];
    await Promise.all([flush(0), ...ends, flush(1)]);
    expect(log.lines).toEqual([]);
    return Promise.all(ends);
  }

  const stored = async ({ id }: { id: string }) => sessions().get({ id, status: 'all' }, { autoExtend: false });

  it('brings none back that was deleted', async () => {
    for (let i = 0; i < rounds; i++) {
      const [kept, ...ended] = await usedSessions();
      const deleted = await flushAmong(i, ...ended.map((session, n) => sessions(n).delete(session)));
      expect(deleted).toEqual(ended.map(() => true));
      await Promise.all([flush(0), flush(1)]);
      expect(await atOnce(ended.length, (n) => stored(ended[n]!))).toEqual(ended.map(() => null));
      expect(await stored(kept!)).toMatchObject({ lastUsedAt: NOW, lastUsedIp: '192.0.2.0' });
    }
  });

  it('brings none back that was revoked, and keeps when and why (ASVS 7.4.1)', async () => {
    for (let i = 0; i < rounds; i++) {
      const [kept, ...ended] = await usedSessions();
      const revoked = await flushAmong(i, ...ended.map((session, n) => sessions(n).revoke(session)));
      expect(revoked).toEqual(ended.map(() => true));
      const rows = await atOnce(ended.length, (n) => stored(ended[n]!));
      expect(rows.map((row) => [row!.revokedAt, row!.revokedReason])).toEqual(ended.map(() => [NOW, 'signed_out']));
      expect(i % 2 === 1 && rows[0]!.lastUsedAt).toBeFalsy();
      await Promise.all(
        ended.flatMap(({ authToken }) =>
          [0, 1].map(async (n) => expect(await sessions(n).authenticate(authToken)).toBeNull()),
        ),
      );
      await Promise.all([flush(0), flush(1)]);
      expect(await atOnce(ended.length, (n) => stored(ended[n]!))).toEqual(rows);
      expect(await stored(kept!)).toMatchObject({ lastUsedAt: NOW });
    }
  });

  it.each([
    ['deletes', (i: number, userId: string) => sessions(i).deleteAll({ userId })],
    ['revokes', (i: number, userId: string) => sessions(i).revokeAll({ userId })],
  ])('hinders nobody who %s all of an owner’s, nor is it hindered', async (_, endAll) => {
    for (let i = 0; i < rounds / 4; i++) {
      const created = await usedSessions();
      const [kept, ended] = created as [Used, Used];
      expect(await flushAmong(i, endAll(i, ended.userId))).toEqual([SESSIONS / 2]);
      await Promise.all([flush(0), flush(1)]);
      const used = await sessions().list({ userId: In([kept.userId, ended.userId]) });
      expect(used.map(({ userId, lastUsedAt }) => [userId, lastUsedAt])).toEqual(
        Array.from({ length: SESSIONS / 2 }, () => [kept.userId, NOW]),
      );
    }
  });

  it('hinders nobody who ends those of different owners at once', async () => {
    await inRounds(rounds, async (i) => {
      const [one, other] = (await usedSessions()) as [Used, Used];
      const deleted = sessions(i).deleteAll({ userId: one.userId });
      const revoked = sessions(i + 1).revokeAll({ userId: other.userId });
      expect(await flushAmong(0, deleted, revoked)).toEqual([SESSIONS / 2, SESSIONS / 2]);
    });
  });
});
