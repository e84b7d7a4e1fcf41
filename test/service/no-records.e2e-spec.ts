import { runInNewContext } from 'node:vm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JsonPath, type SessionOf, SessionsTable, SessionValidationError, UnsupportedQueryError } from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { errorOf } from '../support/sessions.js';

class Sessions extends SessionsTable({
  rotation: true,
  freshness: true,
  extraFields: { userId: { type: 'string', nullable: true } },
}) {}

class Own {
  declare userId?: string;
}
class InGetters {
  readonly #userId = 'bob';
  get userId(): string {
    return this.#userId;
  }
}

/** Objects that no names and values are read from. */
const OTHERS: readonly (readonly [string, object, string])[] = [
  ['promise', Promise.resolve({ userId: 'bob' }), 'not a promise, which has to be awaited'],
  ['Map', new Map([['userId', 'bob']]), 'not a Map'],
  ['Set', new Set(['bob']), 'not a Set'],
  ['Date', new Date(), 'not a Date'],
  ['regular expression', /bob/, 'not a RegExp'],
  ['boxed number', new Number(5), 'not a Number'],
  ['list of bytes', new Uint8Array(), 'not a Uint8Array'],
];

describeStorages('where names and values are needed', (name) => {
  const app = useApplication(name, { tables: [Sessions] });
  let sessions: Sessions;
  let ann: SessionOf<Sessions>;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });
  beforeEach(async () => {
    ann = await sessions.create({ userId: 'ann', data: { a: 1 } });
  });

  const refused = async (call: Promise<unknown>, text: string): Promise<void> => {
    const error = await errorOf(call);
    expect(error).toBeInstanceOf(SessionValidationError);
    expect(error.message).toContain(text);
  };

  describe.each(OTHERS)('a %s', (_, other, text) => {
    it('never matches any session', async () => {
      const filters = other as never;
      await refused(sessions.revokeAll(filters), text);
      await refused(sessions.revokeAll([{ userId: 'bob' }, filters] as never), text);
      await refused(sessions.deleteAll(filters), text);
      await refused(sessions.revokeOthers({ id: 'x' }, filters), text);
      await refused(sessions.get(filters), text);
      await refused(sessions.list(filters), text);
      await refused(sessions.query().filter(filters).delete(), text);
      expect(await sessions.get({ id: ann.id })).toEqual(ann);
    });

    it('is no attributes, changes, data or options', async () => {
      await refused(sessions.create(other), text);
      await refused(sessions.create({ data: other as never }), 'data must be an object');
      await refused(sessions.update(ann, other), text);
      await refused(sessions.patchData(ann, other as never), text);
      await refused(sessions.create({}, other), text);
      await refused(sessions.revoke(ann, other), text);
      expect(await sessions.list()).toEqual([ann]);
    });
  });

  it.each([
    ['all values are under symbols', { [Symbol('userId')]: 'bob' }],
    ['all values are in the getters of its class', new InGetters()],
    ['all values are in those of the class before it', new (class extends InGetters {})()],
  ])('an object of which %s never matches any session', async (_, filters) => {
    await refused(sessions.deleteAll(filters), 'conditions of its own');
    await refused(
      sessions
        .query()
        .filterBy(Symbol('userId') as never, 'bob' as never)
        .count(),
      'conditions of its own',
    );
    expect(await sessions.count()).toBe(1);
  });

  it.each([
    ['a class', Object.assign(new Own(), { userId: 'ann' })],
    ['a class, none of whose fields is set', new Own()],
    ['no prototype', Object.assign(Object.create(null), { userId: 'ann' })],
    ['another realm', runInNewContext(`({ userId: 'ann' })`)],
    ['another realm, without a prototype', runInNewContext('Object.create(null)')],
  ] as [string, Own][])('an object of %s has what it has', async (_, given) => {
    expect(await sessions.list(given)).toEqual([ann]);
    expect(await sessions.update(ann, given)).toMatchObject({ userId: 'ann' });
    expect(await sessions.create(given)).toMatchObject({ userId: given.userId ?? null });
  });

  it.each([null, 5, true, '', 'userId', ['userId'], new Map(), Promise.resolve({})])(
    '%o is no order',
    async (given) => {
      const order = given as never;
      await expect(sessions.list({}, { order })).rejects.toThrow('order must be an object');
      await expect(sessions.query().order(order).all()).rejects.toThrow('order must be an object');
    },
  );

  it.each([null, 5, true, '', new Map(), Promise.resolve([])])('%o is no list of relations', async (given) => {
    const relations = given as never;
    await expect(sessions.list({}, { relations })).rejects.toThrow('relations must be a list');
  });

  it.each([undefined, null, 5, 'a.b', {}, Buffer.from('a')])('%o is no path', async (path) => {
    await expect(sessions.list({ data: JsonPath(path as never, 1) })).rejects.toThrow('no list of keys');
  });

  it.each([0, NaN, '', false])('%o is no transaction', async (manager) => {
    await expect(sessions.create({}, { manager: manager as never })).rejects.toThrow(UnsupportedQueryError);
    await expect(sessions.authenticate('x'.repeat(64), { manager: manager as never })).rejects.toThrow('manager');
  });

  it.each(['rotate', 'reauthenticate'] as const)('%s needs the session as it was read', async (call) => {
    for (const session of [null, undefined, 'x', {}, { id: ann.id }, JSON.parse(JSON.stringify(ann))])
      await expect(sessions[call](session as never)).rejects.toThrow(SessionValidationError);
    expect(await sessions[call](ann)).not.toBeNull();
  });

  it.each([null, undefined, 'x', {}])('refresh needs an id, not %o', async (session) => {
    await expect(sessions.refresh(session as never)).rejects.toThrow(SessionValidationError);
  });
});
