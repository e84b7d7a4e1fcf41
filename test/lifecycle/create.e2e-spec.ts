import { beforeAll, describe, expect, it } from 'vitest';
import { SessionValidationError } from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, START } from '../support/clock.js';
import { errorOf, Sessions } from '../support/sessions.js';

const CYCLE: { self?: unknown } = {};
CYCLE.self = CYCLE;

describeStorages('create', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  it('gives the session, its token and its end (PARITY 1.2)', async () => {
    const session = await sessions.create({ userId: 'u1', data: { device: 'iPhone' } });
    expect(session).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      userId: 'u1',
      note: null,
      visits: 0,
      origin: null,
      data: { device: 'iPhone' },
      expiresAt: at(7 * DAY),
      isExpired: false,
      createdAt: START,
      updatedAt: START,
    });
    expect(session.authToken).toMatch(/^[A-Za-z0-9_-]{64}$/);
  });

  it('returns exactly what a later read returns (PARITY 1.9)', async () => {
    // In the order in which MySQL keeps keys: by their lengths.
    const data = { 'a b': -0, gone: undefined, list: [undefined, NaN], device: { name: 'x', seen: new Date(0) } };
    const session = await sessions.create({ userId: 'u1', data, note: undefined });
    expect(await sessions.get({ id: session.id })).toStrictEqual(session);
    expect(Object.keys((await sessions.get({ id: session.id }))!.data)).toEqual(Object.keys(session.data));
  });

  it('takes an end of the caller, and none for ever (PARITY 1.9: the seed ignores null)', async () => {
    const soon = await sessions.create({ userId: 'u1', expiresAt: at(5) });
    const never = await sessions.create({ userId: 'u1', expiresAt: null });
    expect((await sessions.get({ id: soon.id }, { autoExtend: false }))?.expiresAt).toEqual(at(5));
    expect(await sessions.get({ id: never.id })).toMatchObject({ expiresAt: null, isExpired: false });
  });

  it('makes a session that is over at once where its end has come', async () => {
    const over = await sessions.create({ userId: 'u1', expiresAt: START });
    expect(over.isExpired).toBe(true);
    expect(await sessions.get({ authToken: over.authToken })).toBeNull();
  });

  it('makes ids that sort in the order of creation', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 50; i++) ids.push((await sessions.create({ userId: 'u1' })).id);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('keeps its results apart from what it was given', async () => {
    const data = { list: [1] };
    const session = await sessions.create({ userId: 'u1', data });
    data.list.push(2);
    expect(session.data).toEqual({ list: [1] });
  });

  describe('refuses, and writes nothing,', () => {
    const problemsOf = async (attributes: object): Promise<unknown> => {
      const error = await errorOf(sessions.create(attributes as never));
      expect(error).toBeInstanceOf(SessionValidationError);
      expect(error).toMatchObject({ code: 'ERR_SESSION_INVALID', statusCode: 400, table: 'sessions' });
      expect(await sessions.count({ status: 'all' })).toBe(0);
      return error['errors'];
    };

    it('a missing required field, an unknown one and a wrong type, each by its name (PARITY 1.2)', async () => {
      expect(await problemsOf({ note: 5, wrong: 1, data: 'text', expiresAt: 'tomorrow' })).toEqual({
        userId: 'is required',
        note: 'must be text, not the number 5',
        wrong: 'is no field of this table (there are: userId, note, visits, origin, data, expiresAt)',
        data: 'must be an object',
        expiresAt: 'must be a Date between the years 1000 and 9999, not a string',
      });
    });

    it.each([undefined, null, 5, 'text', [[]]])('%j in the place of attributes', async (attributes) => {
      expect(await problemsOf(attributes as never)).toEqual({ attributes: 'must be an object' });
    });

    it.each([new Date(0), new String('text'), { toJSON: () => [1] }])(
      'data whose JSON is no object: %o',
      async (data) => {
        expect(await problemsOf({ userId: 'u1', data })).toEqual({ data: 'must be an object' });
      },
    );

    it('what the library itself sets', async () => {
      const set = {
        id: 'x',
        createdAt: START,
        updatedAt: START,
        authToken: 'x',
        authTokenDigest: 'x',
        isExpired: true,
      };
      expect(Object.keys((await problemsOf({ userId: 'u1', ...set })) as object)).toEqual(Object.keys(set));
    });

    it.each([
      ['too many characters', { note: 'x'.repeat(21) }],
      ['too many characters by default', { origin: 'x'.repeat(256) }],
      ['a NUL character', { note: 'a\0b' }],
      ['a lone surrogate', { note: 'a\ud800' }],
      ['a NUL character inside data', { data: { a: ['\0'] } }],
      ['a lone surrogate inside data', { data: { '\udc00': 1 } }],
      ['a broken date', { expiresAt: new Date(NaN) }],
      ['a number out of range', { visits: 2 ** 31 }],
      ['a cycle', { data: CYCLE }],
    ])('%s (PARITY 1.9: database errors in the seed)', async (_what, attributes) => {
      expect(Object.keys((await problemsOf({ userId: 'u1', ...attributes })) as object)).toEqual(
        Object.keys(attributes),
      );
    });

    it('without showing the value, which may be a secret (ASVS 16.2.5)', async () => {
      const error = await errorOf(sessions.create({ userId: 'u1', note: 's3cret'.repeat(5) }));
      expect(JSON.stringify(error) + String(error.stack)).not.toContain('s3cret');
    });
  });
});
