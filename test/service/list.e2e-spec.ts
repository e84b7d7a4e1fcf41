import { Between, ILike, In, IsNull, LessThan, Like, MoreThan, Not, Or } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { JsonPath, SessionValidationError, UnsupportedQueryError } from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, SECOND } from '../support/clock.js';
import { createFor, errorOf, Sessions, usersOf } from '../support/sessions.js';

describeStorages('list', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  /** One valid session, one that never ends, one that has ended, one that ends at this very moment. */
  const oneOfEach = async (): Promise<void> => {
    await sessions.create({ userId: 'valid' });
    await sessions.create({ userId: 'endless', expiresAt: null });
    await sessions.create({ userId: 'ended', expiresAt: at(SECOND) });
    await sessions.create({ userId: 'ending', expiresAt: at(2 * SECOND) });
    app.clock.advance(2 * SECOND);
  };
  const found = async (filters: Parameters<Sessions['list']>[0]): Promise<string[]> =>
    usersOf(await sessions.list(filters)).toSorted();

  it('gives the newest first (PARITY 1.2)', async () => {
    const created = await createFor(sessions, app.clock, 'a', 'b', 'c');
    expect(await sessions.list()).toEqual(created.toReversed());
  });

  it('gives the newest first among those created in the same millisecond', async () => {
    for (const userId of ['a', 'b', 'c', 'd']) await sessions.create({ userId });
    expect(usersOf(await sessions.list())).toEqual(['d', 'c', 'b', 'a']);
  });

  it('sorts and pages as asked for', async () => {
    await createFor(sessions, app.clock, 'b', 'a', 'c', 'a');
    expect(usersOf(await sessions.list({}, { order: { userId: 'ASC', createdAt: 'DESC' } }))).toEqual([
      'a',
      'a',
      'b',
      'c',
    ]);
    expect(usersOf(await sessions.list({}, { take: 2 }))).toEqual(['a', 'c']);
    expect(usersOf(await sessions.list({}, { take: 2, skip: 1 }))).toEqual(['c', 'a']);
    expect(usersOf(await sessions.list({}, { skip: 3 }))).toEqual(['b']);
    expect(await sessions.list({}, { take: 0 })).toEqual([]);
  });

  it('sorts null before any other value', async () => {
    for (const note of ['b', null, 'a']) await sessions.create({ userId: 'u1', note });
    const notes = async (order: 'ASC' | 'DESC'): Promise<unknown> =>
      (await sessions.list({}, { order: { note: order } })).map((session) => session.note);
    expect(await notes('ASC')).toEqual([null, 'a', 'b']);
    expect(await notes('DESC')).toEqual(['b', 'a', null]);
  });

  it('says of each which one is of who asks', async () => {
    const [, phone] = await createFor(sessions, app.clock, 'ann', 'ann');
    const marks = async (current: { readonly id: string } | null): Promise<boolean[]> =>
      (await sessions.list({ userId: 'ann' }, { current })).map(({ isCurrent }) => isCurrent);
    expect(await marks(phone!)).toEqual([true, false]);
    expect(await marks(null)).toEqual([false, false]);
    expect(await marks({ id: 'none' })).toEqual([false, false]);
    const [listed] = await sessions.listValid({ userId: 'ann' }, { current: phone!, take: 1 });
    expect(listed).toEqual({ ...phone, isCurrent: true });
    expect((await sessions.list())[0]).not.toHaveProperty('isCurrent');
    expect(await errorOf(sessions.list({}, { current: {} as never }))).toMatchObject({
      errors: { id: 'must be the id of a session' },
    });
  });

  describe('by status (PARITY 1.3)', () => {
    it('means valid sessions by default: no end, or one that is still to come', async () => {
      await oneOfEach();
      expect(await found({})).toEqual(['endless', 'valid']);
      expect(await found({ status: 'valid' })).toEqual(['endless', 'valid']);
    });

    it('knows expired ones: those whose end has come, to the millisecond', async () => {
      await oneOfEach();
      expect(await found({ status: 'expired' })).toEqual(['ended', 'ending']);
    });

    it('knows all', async () => {
      await oneOfEach();
      expect(await found({ status: 'all' })).toEqual(['ended', 'ending', 'endless', 'valid']);
    });

    it('marks each session as expired or not, an endless one as not (PARITY 1.9)', async () => {
      await oneOfEach();
      const marks = (await sessions.list({ status: 'all' })).map(({ userId, isExpired }) => [userId, isExpired]);
      expect(Object.fromEntries(marks)).toEqual({ valid: false, endless: false, ended: true, ending: true });
    });

    it.each(['active', '', null, 5, ['valid'], undefined])('refuses %o', async (status) => {
      const error = await errorOf(sessions.list({ status: status as never }));
      expect(error).toBeInstanceOf(SessionValidationError);
      expect(error['errors']).toHaveProperty('status');
    });
  });

  describe('listValid', () => {
    it('gives valid sessions only, whatever status is asked for (PARITY 1.2, 1.9)', async () => {
      await oneOfEach();
      for (const status of ['valid', 'expired', 'all'] as const) {
        expect(usersOf(await sessions.listValid({ status })).toSorted()).toEqual(['endless', 'valid']);
      }
      expect(usersOf(await sessions.listValid()).toSorted()).toEqual(['endless', 'valid']);
    });

    it('keeps every set of several to it', async () => {
      await oneOfEach();
      const sets = [
        { userId: 'ended', status: 'expired' },
        { userId: 'valid', status: 'all' },
      ] as const;
      expect(usersOf(await sessions.listValid(sets))).toEqual(['valid']);
    });

    it('takes order and paging', async () => {
      await createFor(sessions, app.clock, 'a', 'b', 'c');
      expect(usersOf(await sessions.listValid({}, { order: { userId: 'ASC' }, skip: 1, take: 1 }))).toEqual(['b']);
    });
  });

  describe('by columns (PARITY 1.3)', () => {
    it("takes a value, null and TypeORM's operators", async () => {
      await sessions.create({ userId: 'a', note: 'x1', visits: 1 });
      await sessions.create({ userId: 'b', note: 'x2', visits: 2 });
      await sessions.create({ userId: 'c', visits: 3, data: { device: 'iPhone' } });
      expect(await found({ userId: 'a' })).toEqual(['a']);
      expect(await found({ note: null })).toEqual(['c']);
      expect(await found({ note: IsNull() })).toEqual(['c']);
      expect(await found({ note: Not(IsNull()) })).toEqual(['a', 'b']);
      expect(await found({ userId: In(['a', 'c', 'z']) })).toEqual(['a', 'c']);
      expect(await found({ userId: In([]) })).toEqual([]);
      expect(await found({ visits: MoreThan(1) })).toEqual(['b', 'c']);
      expect(await found({ visits: Between(1, 2) })).toEqual(['a', 'b']);
      expect(await found({ note: Like('x%') })).toEqual(['a', 'b']);
      expect(await found({ visits: Or(LessThan(2), MoreThan(2)) })).toEqual(['a', 'c']);
      expect(await found({ userId: Not('a'), visits: LessThan(3) })).toEqual(['b']);
      expect(await found({ data: JsonPath(['device'], 'iPhone') })).toEqual(['c']);
    });

    it.each(["it's", '$1', 'a b', '%', ':p0'])('looks inside JSON by the key %j as by any other', async (key) => {
      await sessions.create({ userId: 'a', data: { [key]: "'; --" } });
      await sessions.create({ userId: 'b', data: { other: "'; --" } });
      expect(await found({ data: JsonPath([key], "'; --") })).toEqual(['a']);
    });

    it('compares text by its very characters', async () => {
      for (const userId of ['é', 'e', 'E', 'e ', 'É', '😀']) await sessions.create({ userId });
      for (const userId of ['é', 'e', 'E', 'e ', 'É', '😀']) expect(await found({ userId })).toEqual([userId]);
    });

    it('compares moments to the millisecond', async () => {
      await createFor(sessions, app.clock, 'a', 'b');
      expect(await found({ createdAt: MoreThan(at(0)) })).toEqual(['b']);
      expect(await found({ createdAt: MoreThan(at(-1)) })).toEqual(['a', 'b']);
      expect(await found({ createdAt: at(SECOND) })).toEqual(['b']);
    });

    it('combines a condition on the end with the status', async () => {
      await oneOfEach();
      expect(await found({ expiresAt: LessThan(at(100 * DAY)) })).toEqual(['valid']);
      expect(await found({ expiresAt: null })).toEqual(['endless']);
      expect(await found({ expiresAt: null, status: 'expired' })).toEqual([]);
      expect(await found({ expiresAt: LessThan(at(2 * SECOND)), status: 'all' })).toEqual(['ended']);
    });

    it('takes several sets, of which any may hold, each with a status of its own', async () => {
      await oneOfEach();
      expect(await found([{ userId: 'valid' }, { userId: 'ended' }])).toEqual(['valid']);
      expect(await found([{ userId: 'valid' }, { userId: 'ended', status: 'expired' }])).toEqual(['ended', 'valid']);
    });

    it('takes no set for no session', async () => {
      await oneOfEach();
      expect(await found([])).toEqual([]);
    });

    it('finds a token among other conditions', async () => {
      const { authToken } = await sessions.create({ userId: 'a' });
      expect(await found({ authToken, userId: 'a' })).toEqual(['a']);
      expect(await found({ authToken, userId: 'b' })).toEqual([]);
      expect(await found([{ authToken: 'x' }, { authToken }])).toEqual(['a']);
    });

    it.each([
      [{ nothing: 1 }, 'nothing'],
      [{ authTokenDigest: 'a' }, 'authTokenDigest'],
      [{ isExpired: true }, 'isExpired'],
      [{ userId: 5 }, 'userId'],
      [{ visits: 'many' }, 'visits'],
      [{ createdAt: '2026-01-01' }, 'createdAt'],
      [{ userId: undefined }, 'userId'],
      [{ authToken: undefined }, 'authToken'],
      [[{ userId: 'a' }, { userId: undefined }], 'userId'],
    ])("refuses %o by the field's name", async (filters, field) => {
      const error = await errorOf(sessions.list(filters as never));
      expect(error).toBeInstanceOf(SessionValidationError);
      expect(Object.keys(error['errors'] as object)).toEqual([field]);
    });

    it('refuses an operator that does not mean the same everywhere, and names it', async () => {
      const error = await errorOf(sessions.list({ userId: ILike('A%') }));
      expect(error).toBeInstanceOf(UnsupportedQueryError);
      expect(error).toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED', message: expect.stringContaining('"ilike"') });
    });
  });

  describe('count (PARITY 1.2)', () => {
    it('counts valid sessions, or those of the status asked for', async () => {
      await oneOfEach();
      expect(await sessions.count()).toBe(2);
      expect(await sessions.count({ status: 'expired' })).toBe(2);
      expect(await sessions.count({ status: 'all' })).toBe(4);
      expect(await sessions.count({ userId: In(['valid', 'ended']), status: 'all' })).toBe(2);
      expect(await sessions.count({ userId: 'nobody' })).toBe(0);
    });
  });
});
