import { beforeEach, describe, expect, it } from 'vitest';
import {
  type BaseSession,
  type SessionEvent,
  SessionEvents,
  type SessionsService,
  SessionsTable,
  StaleSessionError,
} from '@app/sessions';
import type { Row } from '../../libs/sessions/src/adapters/port/query.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, HOUR, MINUTE } from '../support/clock.js';

const LIMITS = {
  sessionTtl: '12h',
  absoluteTtl: '1d',
  extraFields: { note: { type: 'string', default: '' } },
} as const;

class Limited extends SessionsTable({ ...LIMITS, table: 'limited' }) {}
class Fresh extends SessionsTable({ ...LIMITS, table: 'fresh', freshness: true, rotation: true }) {}
class Own extends SessionsTable({ ...LIMITS, table: 'own', ownLimits: true, revocation: true }) {}
class OwnOnly extends SessionsTable({ ...LIMITS, table: 'own_only', absoluteTtl: null, ownLimits: true }) {}
class All extends SessionsTable({
  ...LIMITS,
  table: 'all_limits',
  freshness: true,
  ownLimits: true,
  revocation: true,
  cache: { channel: null },
}) {}

const TABLES = [Limited, Fresh, Own, OwnOnly, All] as const;

describeStorages('the absolute limit of a session (ASVS 7.3.2)', (name) => {
  const app = useApplication(name, {
    tables: TABLES,
    options: { defaultTable: 'limited', pruning: { atStart: false, interval: '1d', batchSize: 7 } },
  });

  describe.each(TABLES)('on %o', (table) => {
    let sessions: SessionsService<Limited['fields']>;
    beforeEach(() => {
      sessions = app.get(table);
    });
    const create = () => sessions.create({}, table === OwnOnly ? { absoluteTtl: '1d' } : {});
    const stored = async ({ id }: { id: string }) =>
      (await sessions.get({ id, status: 'all' }, { autoExtend: false }))!;

    /** Writes what no call would. */
    const write = (session: BaseSession, changes: Row) =>
      app.get(SessionsRegistry).store(table).adapter.update(table.entity, changes, { id: session.id });

    /** A session that is over its limit before its end: as if it had begun when the limit was longer. */
    async function createOver() {
      const session = await create();
      const begun = at(-2 * DAY);
      const { definition } = app.get(SessionsRegistry).store(table);
      await write(session, {
        createdAt: begun,
        ...(definition.freshness && { authenticatedAt: null }),
        ...(definition.ownLimits && { absoluteExpiresAt: table === OwnOnly ? at(-DAY) : null }),
      });
      return session;
    }

    it.each([null, at(9 * DAY), at(DAY + 1)])('is the latest end that update gives: %s', async (expiresAt) => {
      const session = await create();
      app.clock.advance(HOUR);
      for (const reference of [session, { id: session.id }]) {
        expect(await sessions.update(reference, { expiresAt })).toMatchObject({ expiresAt: at(DAY) });
      }
      expect(await stored(session)).toMatchObject({ expiresAt: at(DAY) });
      app.clock.advance(3650 * DAY);
      expect(await sessions.count({ status: 'expired' })).toBe(1);
      expect(await sessions.deleteExpired()).toBe(1);
    });

    it('lets update give an earlier end', async () => {
      const session = await create();
      expect(await sessions.update(session, { expiresAt: at(DAY - 1) })).toMatchObject({ expiresAt: at(DAY - 1) });
    });

    it('that has passed leaves nothing to end, to move or to use, and tells nothing', async () => {
      const session = await createOver();
      const copy = await stored(session);
      expect(copy).toMatchObject({ isExpired: true, expiresAt: at(12 * HOUR) });
      const events: SessionEvent[] = [];
      const listening = app.get(SessionEvents).all.subscribe((event) => events.push(event));
      for (const reference of [copy, { id: session.id }]) {
        expect(await sessions.expire(reference)).toBe(false);
        expect(await sessions.revoke(reference)).toBe(false);
        for (const expiresAt of [at(HOUR), null])
          await expect(sessions.update(reference, { expiresAt })).rejects.toThrow(StaleSessionError);
      }
      expect(await sessions.revokeAll({})).toBe(0);
      await expect(sessions.refresh(copy)).rejects.toThrow(StaleSessionError);
      expect(await sessions.authenticate(session.authToken)).toBeNull();
      listening.unsubscribe();
      expect(events.filter(({ type }) => type !== 'refused')).toEqual([]);
      expect(await stored(session)).toEqual(copy);
      expect(await sessions.update(copy, { note: 'over' })).toMatchObject({ note: 'over', isExpired: true });
    });

    it('that has passed is an end to deleteExpired, also without another one', async () => {
      const kept = [await create(), await sessions.create({})];
      for (let i = 0; i < 20; i++) await createOver();
      for (let i = 0; i < 20; i++) await write(await createOver(), { expiresAt: null });
      await sessions.expire(await create());
      app.clock.advance(MINUTE);
      expect(await sessions.count({ status: 'expired' })).toBe(41);
      expect(await sessions.deleteExpired()).toBe(41);
      const left = await sessions.list({ status: 'all' });
      expect(left.map(({ id }) => id).toSorted()).toEqual(kept.map(({ id }) => id).toSorted());
      expect(await sessions.deleteExpired()).toBe(0);
    });
  });

  it('is no end to a session that was revoked, which is kept for its retention', async () => {
    const sessions = app.get(Own);
    await sessions.revoke(await sessions.create({}));
    app.clock.advance(2 * DAY);
    expect(await sessions.deleteExpired()).toBe(0);
    expect(await sessions.count({ status: 'revoked' })).toBe(1);
  });
});
