import { beforeAll, describe, expect, it } from 'vitest';
import {
  type ColumnMapping,
  SessionMark,
  SessionsTable,
  SessionValidationError,
  StaleSessionError,
} from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { at, HOUR, MINUTE, SECOND, START } from '../support/clock.js';
import { SERVERS, isMysql } from '../support/databases.js';

const TIMES = ['expiresAt', 'createdAt', 'updatedAt', 'rotatedAt', 'authenticatedAt', 'absoluteExpiresAt'] as const;
const mapped = (mapping: ColumnMapping, names: readonly string[] = TIMES) =>
  Object.fromEntries(names.map((name) => [name, mapping]));

const DEFINITION = { rotation: true, freshness: true, ownLimits: true, sessionTtl: '1h', absoluteTtl: '1d' } as const;
const SECONDS = { precision: 0 };

class Coarse extends SessionsTable({ ...DEFINITION, columns: mapped(SECONDS) }) {}
class CoarseEnds extends SessionsTable({ ...DEFINITION, columns: mapped(SECONDS, ['expiresAt']) }) {}
class CoarseWrites extends SessionsTable({ ...DEFINITION, columns: mapped(SECONDS, ['updatedAt']) }) {}
class Counted extends SessionsTable({ ...DEFINITION, columns: mapped({ form: 'seconds' }) }) {}
class Revocable extends SessionsTable({
  ...DEFINITION,
  revocation: true,
  columns: mapped(SECONDS, [...TIMES, 'revokedAt']),
}) {}

const TABLES = { Coarse, CoarseEnds, CoarseWrites, Counted, Revocable };

/** Where in a second things happen. */
const OFFSETS = [0, 400, 999];

describeStorages('times of whole seconds', (name) => {
  describe.each(Object.entries(TABLES))('in %s', (_title, table) => {
    const app = useApplication(name, { tables: [table], entities: name === 'memory' ? [] : [SessionMark] });
    let sessions: Coarse;
    beforeAll(() => {
      sessions = app.get<Coarse>(table);
    });
    /** The clock at this place in its second. */
    const atOffset = (ms: number): Date => app.clock.advance((1000 + ms - (app.clock.now.getTime() % 1000)) % 1000);

    it.each(OFFSETS)('change a session at once, %d ms into a second', async (ms) => {
      atOffset(ms);
      expect(await sessions.rotate(await sessions.create({}))).not.toBeNull();
      expect(await sessions.reauthenticate(await sessions.create({}))).toBeTruthy();
      const expiresAt = new Date(app.clock.now.getTime() + HOUR / 2);
      const updated = await sessions.update(await sessions.create({}), { expiresAt });
      expect(updated.expiresAt!.getTime()).toBeLessThanOrEqual(expiresAt.getTime());
      expect(await sessions.update(updated, { data: { n: 1 } }, { ifUnchanged: true })).toMatchObject({
        data: { n: 1 },
      });
    });

    it.each(OFFSETS)('come back as they are stored, %d ms into a second', async (ms) => {
      atOffset(ms);
      const created = await sessions.create({}, { absoluteTtl: '2h' });
      expect(await sessions.get({ id: created.id })).toEqual({ ...created, authToken: undefined });
      const rotated = await sessions.rotate(created);
      expect(await sessions.authenticate(rotated!.authToken)).toEqual({ ...rotated, authToken: undefined });
      const again = await sessions.reauthenticate(created);
      expect(await sessions.authenticate(again.authToken)).toEqual({ ...again, authToken: undefined });
      app.clock.advance(40 * MINUTE);
      const extended = await sessions.authenticate(again.authToken);
      expect(extended!.expiresAt!.getTime()).toBeGreaterThan(again.expiresAt!.getTime());
      expect(await sessions.authenticate(again.authToken, { autoExtend: false })).toEqual(extended);
    });

    it.each(OFFSETS)('never let a session live longer than it was told, %d ms into a second', async (ms) => {
      const now = atOffset(ms);
      const created = await sessions.create({}, { ttl: '10s', absoluteTtl: '60s' });
      const end = now.getTime() + 10 * SECOND;
      expect(created.expiresAt!.getTime()).toBeLessThanOrEqual(end);
      expect(created.expiresAt!.getTime()).toBeGreaterThan(end - SECOND);
      app.clock.now = new Date(created.expiresAt!.getTime() - 1);
      expect(await sessions.authenticate(created.authToken, { autoExtend: false })).not.toBeNull();
      expect(await sessions.count()).toBe(1);
      app.clock.advance(1);
      expect(await sessions.authenticate(created.authToken)).toBeNull();
      expect([await sessions.count(), await sessions.count({ status: 'expired' })]).toEqual([0, 1]);
    });

    it('tell two changes of the same second apart', async () => {
      const created = await sessions.create({});
      const first = await sessions.update(created, { data: { n: 1 } });
      expect(first.updatedAt.getTime()).toBeGreaterThan(created.updatedAt.getTime());
      const stale = sessions.update(created, { data: { n: 2 } }, { ifUnchanged: true });
      await expect(stale).rejects.toThrow(StaleSessionError);
      expect(await sessions.update(first, { data: { n: 3 } }, { ifUnchanged: true })).toMatchObject({ data: { n: 3 } });
      const proofs = await Promise.allSettled([1, 2].map(() => sessions.reauthenticate(created)));
      expect(proofs.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    });

    it.each(OFFSETS)('end a session at once for every node, %d ms into a second', async (ms) => {
      atOffset(ms);
      const [a, b, c] = [await sessions.create({}), await sessions.create({}), await sessions.create({})];
      // A change soon after another one is written later than it is.
      app.clock.advance(5 * SECOND);
      await sessions.expire(a);
      await sessions.revoke(b);
      // One whose clock is behind knows by the last write.
      for (const behindMs of [0, 700, 2500]) {
        app.clock.advance(-behindMs);
        expect(await sessions.authenticate(a.authToken)).toBeNull();
        expect(await sessions.authenticate(b.authToken)).toBeNull();
        expect(await sessions.authenticate(c.authToken)).not.toBeNull();
        app.clock.advance(behindMs);
      }
      expect(await sessions.revokeAll({})).toBe(1);
      expect(await sessions.count()).toBe(0);
    });

    it('write the last extension once', async () => {
      atOffset(600);
      const { id, authToken } = await sessions.create({}, { ttl: '1h', absoluteTtl: '90m' });
      app.clock.advance(45 * MINUTE);
      const last = await sessions.authenticate(authToken);
      for (let i = 0; i < 5; i++) {
        app.clock.advance(SECOND + 100);
        expect(await sessions.authenticate(authToken)).toEqual(last);
      }
      expect((await sessions.get({ id }, { autoExtend: false }))!.updatedAt).toEqual(last!.updatedAt);
    });

    it('list, sort and delete what has ended', async () => {
      const created = [];
      for (const ttl of ['10s', '20s', '30s'] as const) {
        created.push(await sessions.create({}, { ttl, absoluteTtl: '60s' }));
        app.clock.advance(300);
      }
      const ids = created.map(({ id }) => id);
      const listed = await sessions.list({}, { order: { expiresAt: 'ASC' } });
      expect(listed.map(({ id }) => id)).toEqual(ids);
      app.clock.now = created[1]!.expiresAt!;
      expect((await sessions.list()).map(({ id }) => id)).toEqual([ids[2]]);
      expect(await sessions.deleteExpired()).toBe(2);
      expect((await sessions.list({ status: 'all' })).map(({ id }) => id)).toEqual([ids[2]]);
    });
  });
});

describe('ends that a column cannot hold', () => {
  class Stamped extends SessionsTable({ sessionTtl: '9000d', columns: mapped({ type: 'timestamp' }, ['expiresAt']) }) {}
  class Narrow extends SessionsTable({
    sessionTtl: '9000d',
    columns: mapped({ type: 'int', form: 'seconds' }, ['expiresAt']),
  }) {}
  const LAST = new Date('2038-01-19T03:14:07.000Z');

  describe.each([
    ...SERVERS.filter(isMysql).map((name) => ['TIMESTAMP', name, Stamped] as const),
    ...SERVERS.map((name) => ['seconds of 32 bits', name, Narrow] as const),
  ])('by %s on %s', (_title, name, table) => {
    const app = useApplication(name, { tables: [table] });
    const sessions = (): Stamped => app.get<Stamped>(table);

    it('are refused where they are given, and the last one where they follow from a ttl', async () => {
      await expect(sessions().create({ expiresAt: new Date(LAST.getTime() + SECOND) })).rejects.toThrow(
        SessionValidationError,
      );
      const created = await sessions().create({});
      expect(created.expiresAt).toEqual(LAST);
      await expect(sessions().update(created, { expiresAt: new Date('2040-01-01') })).rejects.toThrow(
        /2038-01-19T03:14:07/,
      );
      expect(await sessions().authenticate(created.authToken)).toMatchObject({ expiresAt: LAST, updatedAt: START });
      expect(await sessions().create({ expiresAt: null })).toMatchObject({ expiresAt: null });
      expect(await sessions().count()).toBe(2);
    });

    it('leave shorter ones as they are', async () => {
      const { authToken } = await sessions().create({ expiresAt: at(HOUR - 123) });
      expect(await sessions().authenticate(authToken)).toMatchObject({ expiresAt: at(HOUR - 123) });
    });
  });
});
