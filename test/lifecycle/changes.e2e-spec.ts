import { In, MoreThan, Not } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { type SessionOf, SessionValidationError, StaleSessionError } from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, SECOND, START } from '../support/clock.js';
import { createFor, errorOf, Sessions, usersOf } from '../support/sessions.js';

describeStorages('changing sessions', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  const stored = (session: { id: string }): ReturnType<Sessions['get']> =>
    sessions.get({ id: session.id, status: 'all' }, { autoExtend: false });

  describe('update (PARITY 1.2)', () => {
    it('returns the session as it is now, from its id alone', async () => {
      const session = await sessions.create({ userId: 'u1', data: { a: 1 } });
      app.clock.advance(SECOND);
      const updated = await sessions.update({ id: session.id }, { note: 'new', data: { b: 2 } });
      expect(updated).toEqual({ ...session, note: 'new', data: { b: 2 }, updatedAt: at(SECOND) });
      expect(await stored(session)).toEqual(updated);
    });

    it('leaves the token and all other sessions alone', async () => {
      const [session, other] = [await sessions.create({ userId: 'u1' }), await sessions.create({ userId: 'u2' })];
      await sessions.update(session, { note: 'new' });
      expect(await sessions.get({ authToken: session.authToken })).toMatchObject({ note: 'new' });
      expect(await sessions.get({ authToken: other.authToken })).toEqual(other);
    });

    it('takes undefined for unchanged and null for null', async () => {
      const session = await sessions.create({ userId: 'u1', note: 'old' });
      expect(await sessions.update(session, { note: undefined, visits: 5 })).toMatchObject({ note: 'old', visits: 5 });
      expect(await sessions.update(session, { note: null })).toMatchObject({ note: null });
    });

    it('changes two things at once from two requests without undoing either', async () => {
      const session = await sessions.create({ userId: 'u1' });
      await Promise.all([sessions.update(session, { note: 'new' }), sessions.update(session, { visits: 7 })]);
      expect(await stored(session)).toMatchObject({ note: 'new', visits: 7 });
    });

    it('works twice with the same values', async () => {
      const session = await sessions.create({ userId: 'u1' });
      await sessions.update(session, { visits: 1 });
      expect(await sessions.update(session, { visits: 1 })).toMatchObject({ visits: 1, updatedAt: at(2) });
    });

    it.each(['as it was last seen', 'by its id alone'])(
      'moves and takes away the end of a valid session %s',
      async (how) => {
        let session: SessionOf<Sessions> = await sessions.create({ userId: 'u1' });
        for (const expiresAt of [at(SECOND), at(100 * DAY), null, at(DAY)]) {
          session = await sessions.update(how === 'by its id alone' ? { id: session.id } : session, { expiresAt });
          expect(session).toMatchObject({ expiresAt });
        }
      },
    );

    it('changes an expired session, but never revives it (PARITY 1.9)', async () => {
      const session = await sessions.create({ userId: 'u1' });
      await sessions.expire(session);
      expect(await sessions.update(session, { note: 'seen' })).toMatchObject({ note: 'seen', isExpired: true });
      for (const expiresAt of [at(DAY), null]) {
        await expect(sessions.update(session, { expiresAt, note: 'no' })).rejects.toThrow(StaleSessionError);
      }
      expect(await stored(session)).toMatchObject({ note: 'seen', expiresAt: START });
    });

    it('fails where the session is gone (PARITY 1.9)', async () => {
      const session = await sessions.create({ userId: 'u1' });
      await sessions.delete(session);
      const error = await errorOf(sessions.update(session, { note: 'new' }));
      expect(error).toBeInstanceOf(StaleSessionError);
      await expect(sessions.update(session, {})).rejects.toThrow(StaleSessionError);
      expect(error).toMatchObject({ code: 'ERR_SESSION_STALE', statusCode: 409, id: session.id });
    });

    it('names every unknown, immutable and wrong field, and writes nothing', async () => {
      const session = await sessions.create({ userId: 'u1', origin: 'web' });
      const changes = { origin: 'app', id: 'x', createdAt: at(1), note: 5, wrong: 1, visits: 3, userId: null };
      const error = await errorOf(sessions.update(session, changes as never));
      expect(error).toBeInstanceOf(SessionValidationError);
      expect(error['errors']).toEqual({
        origin: 'is immutable',
        id: 'is set by the library',
        createdAt: 'is set by the library',
        note: 'must be text, not the number 5',
        wrong: 'is no field of this table (there are: userId, note, visits, origin, data, expiresAt)',
        userId: 'must not be null',
      });
      expect(await stored(session)).toEqual(session);
    });
  });

  describe('expire (PARITY 1.2)', () => {
    it('ends a session now', async () => {
      const session = await sessions.create({ userId: 'u1' });
      app.clock.advance(SECOND);
      expect(await sessions.expire(session)).toBe(true);
      expect(await sessions.get({ authToken: session.authToken })).toBeNull();
      expect(await stored(session)).toMatchObject({ expiresAt: at(SECOND), updatedAt: at(SECOND), isExpired: true });
    });

    it('ends a session that would never end', async () => {
      const session = await sessions.create({ userId: 'u1', expiresAt: null });
      expect(await sessions.expire(session)).toBe(true);
      expect(await stored(session)).toMatchObject({ expiresAt: START });
    });

    it('tells that a session had ended before, and keeps its end', async () => {
      const session = await sessions.create({ userId: 'u1' });
      await sessions.expire(session);
      app.clock.advance(DAY);
      expect(await sessions.expire(session)).toBe(false);
      expect(await stored(session)).toMatchObject({ expiresAt: START });
    });

    it('tells that a session is gone', async () => {
      const session = await sessions.create({ userId: 'u1' });
      await sessions.delete(session);
      expect(await sessions.expire(session)).toBe(false);
    });

    it('ends one session once, however many ask for it at the same time', async () => {
      const session = await sessions.create({ userId: 'u1' });
      const ended = await Promise.all(Array.from({ length: 10 }, () => sessions.expire(session)));
      expect(ended.filter(Boolean)).toHaveLength(1);
    });
  });

  describe('delete and deleteOrFail (PARITY 1.2)', () => {
    it('delete one session, valid or not', async () => {
      await createFor(sessions, app.clock, 'b');
      for (const end of [undefined, null, at(0)]) {
        const session = await sessions.create({ userId: 'a', expiresAt: end });
        expect(await sessions.delete(session)).toBe(true);
      }
      const session = await sessions.create({ userId: 'a' });
      expect(await sessions.deleteOrFail({ id: session.id })).toBeUndefined();
      expect(usersOf(await sessions.list({ status: 'all' }))).toEqual(['b']);
    });

    it('tell that a session is gone: by false, and by an error (PARITY 1.9: deleting twice raises)', async () => {
      const session = await sessions.create({ userId: 'a' });
      await sessions.delete(session);
      expect(await sessions.delete(session)).toBe(false);
      const error = await errorOf(sessions.deleteOrFail(session));
      expect(error).toBeInstanceOf(StaleSessionError);
      expect(error).toMatchObject({ code: 'ERR_SESSION_STALE', statusCode: 409, id: session.id });
    });

    it('delete one session once, however many ask for it at the same time', async () => {
      const session = await sessions.create({ userId: 'a' });
      const deleted = await Promise.all(Array.from({ length: 10 }, () => sessions.delete(session)));
      expect(deleted.filter(Boolean)).toHaveLength(1);
    });
  });

  describe('deleteAll (PARITY 1.2)', () => {
    it('signs one owner out everywhere, and nobody else (ASVS 7.4.2)', async () => {
      const [first] = await createFor(sessions, app.clock, 'a', 'b', 'a', 'a');
      expect(await sessions.deleteAll({ userId: 'a' })).toBe(3);
      expect(usersOf(await sessions.list())).toEqual(['b']);
      expect(await sessions.get({ id: first!.id, status: 'all' })).toBeNull();
    });

    it('signs one owner out of all other devices', async () => {
      const [, , current] = await createFor(sessions, app.clock, 'a', 'b', 'a');
      expect(await sessions.deleteAll({ userId: 'a', id: Not(current!.id) })).toBe(1);
      expect(usersOf(await sessions.list())).toEqual(['a', 'b']);
    });

    it('is about valid sessions unless told otherwise', async () => {
      await sessions.expire(await sessions.create({ userId: 'a' }));
      expect(await sessions.deleteAll({ userId: 'a' })).toBe(0);
      expect(await sessions.deleteAll({ userId: 'a', status: 'all' })).toBe(1);
    });

    it.each([
      [{ userId: undefined }],
      [{ userId: 'a', note: undefined }],
      [{ status: undefined }],
      [{ authToken: undefined }],
      [{ wrong: 'a' }],
      [undefined],
      [null],
      ['a'],
      [[{ userId: 'a' }, undefined]],
      [[{ userId: 'a' }, { userId: undefined }]],
    ])('refuses %o and deletes nothing', async (filters) => {
      await createFor(sessions, app.clock, 'a', 'b');
      await expect(sessions.deleteAll(filters as never)).rejects.toThrow(SessionValidationError);
      expect(await sessions.count()).toBe(2);
    });

    it.each([[[]], [{ authToken: null }], [{ authToken: '' }], [{ id: 'x' }], [{ userId: In([]) }]])(
      'deletes nothing for %o, which matches nothing',
      async (filters) => {
        await createFor(sessions, app.clock, 'a', 'b');
        expect(await sessions.deleteAll(filters)).toBe(0);
        expect(await sessions.count()).toBe(2);
      },
    );
  });

  describe('deleteExpired (PARITY 1.2)', () => {
    it('deletes every session that has ended and tells how many', async () => {
      await createFor(sessions, app.clock, 'valid');
      await sessions.create({ userId: 'endless', expiresAt: null });
      for (let i = 0; i < 5; i++) await sessions.create({ userId: 'ended', expiresAt: app.clock.now });
      await sessions.create({ userId: 'almost', expiresAt: at(SECOND + 1) });
      expect(await sessions.deleteExpired()).toBe(5);
      expect(usersOf(await sessions.list({ status: 'all' })).toSorted()).toEqual(['almost', 'endless', 'valid']);
      expect(await sessions.deleteExpired()).toBe(0);
    });
  });

  it.each([undefined, null, 5, {}, MoreThan('0')])('refuses the id %o, and touches no session', async (id) => {
    const session = await sessions.create({ userId: 'a' });
    const reference = { id } as never;
    const acts = [
      sessions.update(reference, { note: 'x' }),
      sessions.expire(reference),
      sessions.delete(reference),
      sessions.deleteOrFail(reference),
      sessions.refresh(reference),
    ];
    for (const act of await Promise.allSettled(acts)) {
      expect(act.status === 'rejected' || act.value === false).toBe(true);
    }
    expect(await stored(session)).toEqual(session);
  });

  it.each(['', 'x', '00000000-0000-0000-0000-000000000000'])('finds no session by the id %o', async (id) => {
    await sessions.create({ userId: 'a' });
    expect(await sessions.expire({ id })).toBe(false);
    expect(await sessions.delete({ id })).toBe(false);
    await expect(sessions.update({ id }, { note: 'x' })).rejects.toThrow(StaleSessionError);
    await expect(sessions.deleteOrFail({ id })).rejects.toThrow(StaleSessionError);
  });
});
