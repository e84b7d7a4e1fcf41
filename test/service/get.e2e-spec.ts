import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { MultipleSessionsError, SessionNotFoundError, SessionValidationError } from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY } from '../support/clock.js';
import { createFor, errorOf, Sessions } from '../support/sessions.js';

const NO_TOKENS = ['', ' ', 'x', '\0', 'a\0'.repeat(32), '\ud800'.repeat(64), 'a'.repeat(1_048_576), 5, {}, [], true];

describeStorages('get', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  it('finds the session of a token (PARITY 1.2, 1.3)', async () => {
    const [session, other] = [await sessions.create({ userId: 'u1' }), await sessions.create({ userId: 'u2' })];
    expect(await sessions.get({ authToken: session.authToken })).toEqual(session);
    expect(await sessions.get({ authToken: other.authToken })).toEqual(other);
    expect(await sessions.authenticate(session.authToken)).toEqual(session);
  });

  it('gives null where none matches', async () => {
    await sessions.create({ userId: 'u1' });
    expect(await sessions.get({ userId: 'u2' })).toBeNull();
    expect(await sessions.get({ authToken: 'a'.repeat(64) })).toBeNull();
  });

  it('fails where several match, as Repo.one raises (PARITY 1.2)', async () => {
    await createFor(sessions, app.clock, 'u1', 'u1', 'u2');
    const error = await errorOf(sessions.get({ userId: 'u1' }));
    expect(error).toBeInstanceOf(MultipleSessionsError);
    expect(error).toMatchObject({ code: 'ERR_SESSION_NOT_UNIQUE', table: 'sessions' });
    await expect(sessions.getOrFail({})).rejects.toThrow(MultipleSessionsError);
    await expect(sessions.get({ userId: 'u2' })).resolves.not.toBeNull();
  });

  it('finds no session that has ended, unless asked for by status (PARITY 1.3)', async () => {
    const { authToken } = await sessions.create({ userId: 'u1' });
    app.clock.advance(7 * DAY - 1);
    expect(await sessions.get({ authToken }, { autoExtend: false })).not.toBeNull();
    app.clock.advance(1);
    expect(await sessions.get({ authToken })).toBeNull();
    expect(await sessions.authenticate(authToken)).toBeNull();
    expect(await sessions.get({ authToken, status: 'expired' })).toMatchObject({ isExpired: true });
    expect(await sessions.get({ authToken, status: 'all' })).toMatchObject({ isExpired: true });
  });

  it('takes a token that is null for no token at all (PARITY 1.3)', async () => {
    await sessions.create({ userId: 'u1' });
    expect(await sessions.get({ authToken: null })).toBeNull();
    expect(await sessions.get({ authToken: null, status: 'all' })).toBeNull();
    expect(await sessions.count({ authToken: null, status: 'all' })).toBe(0);
  });

  it.each(NO_TOKENS)('finds nothing for what is no token (PARITY 1.9), case %#', async (authToken) => {
    await sessions.create({ userId: 'u1' });
    expect(await sessions.get({ authToken: authToken as string })).toBeNull();
    expect(await sessions.get({ authToken: authToken as string, status: 'all' })).toBeNull();
    expect(await sessions.authenticate(authToken)).toBeNull();
  });

  it('fails for no text that is given as a token (PARITY 1.9)', async () => {
    await sessions.create({ userId: 'u1' });
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[A-Za-z0-9_-]{60,68}$/),
      fc.base64String(),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await sessions.get({ authToken: text, status: 'all' })).toBeNull();
      }),
    );
  });

  it.each(['', 'x', '\0', '1', "' OR 1=1 --", 'a'.repeat(36)])(
    'finds nothing by the id %o, which is no UUID (PARITY 1.9)',
    async (id) => {
      await sessions.create({ userId: 'u1' });
      expect(await sessions.get({ id })).toBeNull();
      expect(await sessions.get({ id, status: 'all' })).toBeNull();
    },
  );

  it('finds a session by its id in capital letters', async () => {
    const { id } = await sessions.create({ userId: 'u1' });
    expect(await sessions.get({ id: id.toUpperCase() })).toMatchObject({ id });
  });

  it.each([5, {}, [], true])('refuses the id %o by a validation error (PARITY 1.9)', async (id) => {
    await expect(sessions.get({ id: id as never })).rejects.toThrow(SessionValidationError);
  });

  it.each([undefined, null, 'text', 5])('refuses %o as filters, which must never mean "any"', async (filters) => {
    await sessions.create({ userId: 'u1' });
    await expect(sessions.get(filters as never)).rejects.toThrow(SessionValidationError);
  });

  it('joins no relation it was not asked for, and shows no digest', async () => {
    const { id } = await sessions.create({ userId: 'u1' });
    expect(Object.keys((await sessions.get({ id }))!).toSorted()).toEqual([
      'createdAt',
      'data',
      'expiresAt',
      'id',
      'isExpired',
      'note',
      'origin',
      'updatedAt',
      'userId',
      'visits',
    ]);
  });

  describe('getOrFail', () => {
    it('gives the session', async () => {
      const session = await sessions.create({ userId: 'u1' });
      expect(await sessions.getOrFail({ authToken: session.authToken })).toEqual(session);
    });

    it('fails where none matches (PARITY 1.2)', async () => {
      const error = await errorOf(sessions.getOrFail({ authToken: 'a'.repeat(64) }));
      expect(error).toBeInstanceOf(SessionNotFoundError);
      expect(error).toMatchObject({ code: 'ERR_SESSION_NOT_FOUND', statusCode: 404, table: 'sessions' });
    });

    it('extends as get does', async () => {
      const { authToken } = await sessions.create({ userId: 'u1' });
      app.clock.advance(2 * DAY);
      expect(await sessions.getOrFail({ authToken })).toMatchObject({ expiresAt: at(9 * DAY) });
    });
  });
});
