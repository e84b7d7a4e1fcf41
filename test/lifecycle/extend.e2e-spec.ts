import { beforeAll, describe, expect, it } from 'vitest';
import { type SessionOf, SessionsTable, StaleSessionError } from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, HOUR, MINUTE, SECOND } from '../support/clock.js';
import { errorOf, Sessions } from '../support/sessions.js';

class AlwaysExtended extends SessionsTable({ table: 'always', sessionTtl: '1h', extendSessionStaleTime: 0 }) {}
class NeverExtended extends SessionsTable({ table: 'never', sessionTtl: '1h', extendSessionStaleTime: null }) {}
class ByHand extends SessionsTable({ table: 'by_hand', autoExtendSession: false }) {}
class Endless extends SessionsTable({ table: 'endless', sessionTtl: null }) {}

describeStorages('extension', (name) => {
  const app = useApplication(name, {
    tables: [Sessions, AlwaysExtended, NeverExtended, ByHand, Endless],
    options: { defaultTable: 'sessions' },
  });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  /** A session's end as the table has it, whatever its status. */
  const storedEnd = async ({ id }: { id: string }): Promise<Date | null> =>
    (await sessions.query({ id, status: 'all' }).one())!.expiresAt;

  describe('at a read', () => {
    it('moves the end to now + ttl, and shows it at once (PARITY 1.4, 1.9)', async () => {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(DAY + 1);
      const read = await sessions.get({ authToken: session.authToken });
      expect(read).toEqual({ ...session, expiresAt: at(8 * DAY + 1), updatedAt: at(DAY + 1) });
      expect(await sessions.query({ id: session.id }).one()).toEqual(read);
    });

    it('needs a gain of more than the stale time (PARITY 1.4)', async () => {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(DAY);
      expect(await sessions.get({ authToken: session.authToken })).toEqual(session);
      app.clock.advance(1);
      expect(await sessions.get({ authToken: session.authToken })).toMatchObject({ expiresAt: at(8 * DAY + 1) });
    });

    it("is the same for the guard's lookup", async () => {
      const { authToken } = await sessions.create({ userId: 'u1' });
      app.clock.advance(2 * DAY);
      expect(await sessions.authenticate(authToken)).toMatchObject({ expiresAt: at(9 * DAY) });
    });

    it('can be left out for one call (PARITY 1.4)', async () => {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(2 * DAY);
      expect(await sessions.get({ id: session.id }, { autoExtend: false })).toEqual(session);
      expect(await sessions.authenticate(session.authToken, { autoExtend: false })).toEqual(session);
      expect(await storedEnd(session)).toEqual(at(7 * DAY));
    });

    it('never comes from list, listValid, query or count', async () => {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(2 * DAY);
      await sessions.list();
      await sessions.listValid();
      await sessions.count();
      expect(await storedEnd(session)).toEqual(at(7 * DAY));
    });

    it('never shortens (PARITY 1.9)', async () => {
      const session = await sessions.create({ userId: 'u1', expiresAt: at(100 * DAY) }, { extend: true });
      app.clock.advance(10 * DAY);
      expect(await sessions.get({ id: session.id })).toEqual(session);
    });

    it('lengthens a shorter end that the caller gave, and means to be extended', async () => {
      const { id } = await sessions.create({ userId: 'u1', expiresAt: at(HOUR) }, { extend: true });
      expect(await sessions.get({ id })).toMatchObject({ expiresAt: at(7 * DAY) });
    });

    it('never revives an expired session, whatever the status asked for (PARITY 1.9)', async () => {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(8 * DAY);
      for (const status of ['all', 'expired'] as const) {
        expect(await sessions.get({ id: session.id, status })).toMatchObject({
          expiresAt: at(7 * DAY),
          isExpired: true,
        });
      }
      expect(await storedEnd(session)).toEqual(at(7 * DAY));
    });

    it('never gives an end to a session that has none (PARITY 1.9)', async () => {
      const session = await sessions.create({ userId: 'u1', expiresAt: null });
      app.clock.advance(1000 * DAY);
      expect(await sessions.get({ authToken: session.authToken })).toEqual(session);
      expect(await storedEnd(session)).toBeNull();
    });

    it('comes at every read with a stale time of 0 (PARITY 1.4)', async () => {
      const table = app.get(AlwaysExtended);
      const { authToken } = await table.create({});
      for (const ms of [1, 2, 3]) {
        app.clock.advance(1);
        expect(await table.get({ authToken })).toMatchObject({ expiresAt: at(HOUR + ms), updatedAt: at(ms) });
      }
    });

    it('never comes with a stale time of null (PARITY 1.4)', async () => {
      const table = app.get(NeverExtended);
      const session = await table.create({});
      app.clock.advance(HOUR - 1);
      expect(await table.get({ authToken: session.authToken })).toEqual(session);
      expect(await table.refresh(session)).toEqual(session);
    });

    it('is off for a table with autoExtendSession: false, unless the call says otherwise (PARITY 1.4)', async () => {
      const table = app.get(ByHand);
      const session = await table.create({});
      app.clock.advance(2 * DAY);
      expect(await table.get({ id: session.id })).toEqual(session);
      expect(await table.authenticate(session.authToken)).toEqual(session);
      expect(await table.get({ id: session.id }, { autoExtend: true })).toMatchObject({ expiresAt: at(9 * DAY) });
    });

    it('keeps every other field, also those changed since the session was created', async () => {
      const session = await sessions.create({ userId: 'u1' });
      await sessions.update(session, { note: 'new', data: { a: 1 } });
      app.clock.advance(2 * DAY);
      expect(await sessions.get({ id: session.id })).toMatchObject({ note: 'new', data: { a: 1 } });
    });
  });

  describe('of a table without a ttl (PARITY 1.9: the seed cannot create one)', () => {
    it('leaves a session without an end', async () => {
      const table = app.get(Endless);
      const session = await table.create({});
      app.clock.advance(10_000 * DAY);
      expect(session).toMatchObject({ expiresAt: null, isExpired: false });
      expect(await table.get({ authToken: session.authToken })).toEqual(session);
      expect(await table.refresh(session)).toEqual(session);
    });

    it('leaves an end that the caller gave', async () => {
      const table = app.get(Endless);
      const session = await table.create({ expiresAt: at(MINUTE) });
      expect(await table.get({ id: session.id })).toEqual(session);
      expect(await table.refresh(session)).toEqual(session);
    });
  });

  describe('by refresh', () => {
    it('moves the end to now + ttl (PARITY 1.2)', async () => {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(2 * DAY);
      const refreshed: SessionOf<Sessions> = await sessions.refresh(session);
      expect(refreshed).toEqual({ ...session, expiresAt: at(9 * DAY), updatedAt: at(2 * DAY) });
      expect(await storedEnd(session)).toEqual(at(9 * DAY));
    });

    it('writes nothing where the gain is not worth it (PARITY 1.4)', async () => {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(DAY);
      expect(await sessions.refresh(session)).toEqual(session);
      expect(await sessions.get({ id: session.id })).toEqual(session);
    });

    it('gives a session without an end the lifetime of its table (PARITY 1.4)', async () => {
      const session = await sessions.create({ userId: 'u1', expiresAt: null });
      app.clock.advance(SECOND);
      expect(await sessions.refresh(session)).toMatchObject({ expiresAt: at(7 * DAY + SECOND) });
      expect(await storedEnd(session)).toEqual(at(7 * DAY + SECOND));
    });

    it('returns the session as it is now, from a stale copy too (PARITY 1.9)', async () => {
      const copy = await sessions.create({ userId: 'u1' });
      await sessions.update(copy, { note: 'new' });
      app.clock.advance(2 * DAY);
      expect(await sessions.refresh(copy)).toMatchObject({ note: 'new', expiresAt: at(9 * DAY) });
    });

    it("finds another request's extension where its own copy says that the session is over", async () => {
      const copy = await sessions.create({ userId: 'u1', expiresAt: at(SECOND) }, { extend: true });
      await sessions.refresh(copy);
      app.clock.advance(MINUTE);
      expect(await sessions.refresh(copy)).toMatchObject({ expiresAt: at(7 * DAY), isExpired: false });
    });

    it.each(['a stale', 'a fresh'])(
      'fails for %s copy of a session that was ended meanwhile, and revives nothing (PARITY 1.9)',
      async (age) => {
        const copy = await sessions.create({ userId: 'u1' });
        await sessions.expire(copy);
        if (age === 'a stale') app.clock.advance(2 * DAY);
        const error = await errorOf(sessions.refresh(copy));
        expect(error).toBeInstanceOf(StaleSessionError);
        expect(error).toMatchObject({ code: 'ERR_SESSION_STALE', statusCode: 409, id: copy.id, table: 'sessions' });
        expect(await storedEnd(copy)).toEqual(at(0));
      },
    );

    it.each([0, 2 * DAY, 8 * DAY])(
      'fails for a session that is gone, %i ms after its creation (PARITY 1.9: the seed raises)',
      async (ms) => {
        const copy = await sessions.create({ userId: 'u1' });
        await sessions.delete(copy);
        app.clock.advance(ms);
        await expect(sessions.refresh(copy)).rejects.toThrow(StaleSessionError);
        expect(await sessions.count({ status: 'all' })).toBe(0);
      },
    );

    it('never shortens what another request has lengthened', async () => {
      const copy = await sessions.create({ userId: 'u1' });
      await sessions.update(copy, { expiresAt: at(100 * DAY) }, { extend: true });
      app.clock.advance(2 * DAY);
      expect(await sessions.refresh(copy)).toMatchObject({ expiresAt: at(100 * DAY) });
      expect(await storedEnd(copy)).toEqual(at(100 * DAY));
    });

    it('leaves without an end what another request has freed of it', async () => {
      const copy = await sessions.create({ userId: 'u1' });
      await sessions.update(copy, { expiresAt: null });
      app.clock.advance(2 * DAY);
      expect(await sessions.refresh(copy)).toMatchObject({ expiresAt: null, isExpired: false });
    });
  });

  it('loses against a log-out at the same time (PARITY 1.9: the seed undoes it)', async () => {
    for (let round = 0; round < 10; round++) {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(2 * DAY);
      const reads = Array.from({ length: 8 }, () => sessions.get({ authToken: session.authToken }));
      const ended = sessions.expire(session);
      const moreReads = Array.from({ length: 8 }, () => sessions.authenticate(session.authToken));
      await Promise.all([...reads, ended, ...moreReads]);
      expect(await ended).toBe(true);
      expect(await storedEnd(session)).toEqual(app.clock.now);
      expect(await sessions.get({ authToken: session.authToken })).toBeNull();
    }
  });
});
