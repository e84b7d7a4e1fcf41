import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  jsonKeys,
  jsonWithin,
  later,
  param,
  SessionValidationError,
  stored,
  UnsupportedQueryError,
} from '@app/sessions';
import { Photo } from '../entities.js';
import type { AdapterFixture } from '../harness.js';
import { runs } from '../../support/runs.js';

type Document = Record<string, unknown>;

/** Keys that paths, escapes, objects of JavaScript or databases might take for something else. */
const KEYS = [
  ['', ' ', 'a', 'A', 'a.b', 'a"b', "a'b", 'a\\b', 'a\\"b', 'a\\u0041', '"', '\\', '\n', '\u0001', '\u2028', '😀', 'é'],
  ['$', '$.a', '-', '-a', '--', '#', '[0]', '[#-1]', '*', '**', '@', '?', '0', '1', '10', '1.0', 'null', 'last'],
  ['__proto__', 'constructor', 'toString', 'length', '%s', ':p0', '$1', '??', '{}', 'e\u0301'],
].flat();
const storable = (text: string): string => text.replaceAll('\0', '');
const key = fc.oneof(fc.constantFrom(...KEYS), fc.string({ unit: 'binary', maxLength: 5 }).map(storable));
const value = fc
  .jsonValue({ stringUnit: 'binary' })
  .map((json): unknown => JSON.parse(JSON.stringify(json).replaceAll(String.raw`\u0000`, '')));
const documents = fc.array(fc.tuple(key, value), { maxLength: 12 }).map(objectOf);
const changes = fc.array(fc.tuple(key, fc.option(value, { nil: undefined, freq: 2 })), { maxLength: 12 }).map(objectOf);

/** An object whose keys are its own, whatever they are called. */
function objectOf(entries: readonly (readonly [string, unknown])[]): Document {
  return Object.fromEntries(entries);
}

/** What is left of an object when JSON has no `undefined`. */
function without(document: Document): Document {
  return Object.fromEntries(Object.entries(document).filter(([, one]) => one !== undefined));
}

export function operators(db: AdapterFixture): void {
  const metaOf = async (id: number): Promise<unknown> =>
    (await db.find(Photo, { where: { id }, select: ['meta'] }))[0]!['meta'];

  describe('jsonKeys', () => {
    it('is the object before with these keys, and without those that are undefined', async () => {
      await fc.assert(
        fc.asyncProperty(documents, changes, async (before, changed) => {
          const id = await db.photo({ meta: before });
          const { meta } = await db.adapter.update(Photo, { meta: jsonKeys(changed) }, { id }, ['meta']);
          expect(meta).toEqual(without({ ...before, ...changed }));
          expect(await metaOf(id)).toEqual(meta);
        }),
        { numRuns: runs(150) },
      );
    });

    it('replaces, adds and takes away each of the keys that are hard to name', async () => {
      for (const [i, name] of KEYS.entries()) {
        const before = objectOf(KEYS.map((one, j) => [one, j + 0.1 + 0.2]));
        const id = await db.photo({ meta: before });
        const steps = [{ deep: [null, { '': 0 }] }, null, undefined, false];
        for (const step of steps) {
          const changed = objectOf([[name, step]]);
          await db.adapter.update(Photo, { meta: jsonKeys(changed) }, { id });
          expect([i, await metaOf(id)]).toEqual([i, without({ ...before, ...changed })]);
        }
      }
    });

    it('changes many keys at once', async () => {
      const before = objectOf(Array.from({ length: 1500 }, (_, i) => [`k${i}`, i]));
      const changed = objectOf(Array.from({ length: 1500 }, (_, i) => [`k${i + 750}`, i % 2 ? undefined : -i - 1]));
      const id = await db.photo({ meta: before });
      await db.adapter.update(Photo, { meta: jsonKeys(changed) }, { id });
      expect(await metaOf(id)).toEqual(without({ ...before, ...changed }));
    });

    it.each([null, [1, { a: 2 }], 'text', 5, true])('makes an object of %o', async (before) => {
      const id = await db.photo({ meta: before });
      await db.adapter.update(Photo, { meta: jsonKeys({ a: 1, b: undefined }) }, { id });
      expect(await metaOf(id)).toEqual({ a: 1 });
    });

    it('is each row’s own, beside other columns', async () => {
      for (const title of ['a', 'b']) await db.photo({ title, meta: { [title]: 1, old: 2 } });
      const query = db.adapter.prepare('updateAll', Photo, {
        set: { caption: param('caption'), meta: jsonKeys({ old: undefined, new: 3 }), rating: 5 },
        returning: ['caption', 'meta', 'rating'],
      });
      const { rows } = await db.adapter.execute(query, { caption: 'c' });
      expect(rows).toHaveLength(2);
      expect(rows).toEqual(
        expect.arrayContaining(['a', 'b'].map((name) => ({ caption: 'c', meta: { [name]: 1, new: 3 }, rating: 5 }))),
      );
    });

    it('names every key that cannot be stored; no row changes', async () => {
      const id = await db.photo({ meta: { a: 1 } });
      const wrong = { a: 2, 'b\0': 1, '\ud800': undefined, c: 'x\0', d: () => 1, e: 5n, f: Symbol('f') };
      const error = await db.adapter
        .update(Photo, { meta: jsonKeys(wrong) }, { id })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SessionValidationError);
      expect(Object.keys((error as SessionValidationError).errors)).toEqual(
        ['b\0', '\ud800', 'c', 'd', 'e', 'f'].map((name) => `meta.${name}`),
      );
      expect(await metaOf(id)).toEqual({ a: 1 });
    });

    it.each([null, [1], 'a', 5])('takes an object, not %o', async (wrong) => {
      const set = { meta: jsonKeys(wrong as never) };
      expect(() => db.adapter.prepare('updateAll', Photo, { set })).toThrow('meta must be an object');
    });
  });

  describe('jsonWithin', () => {
    const bytesOf = (document: Document): number => Buffer.byteLength(JSON.stringify(document));
    const texts = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.string({ unit: fc.constantFrom('x', 'é', '😀') }));
    const isWithin = async (id: number, changed: Document, bytes: number): Promise<boolean> =>
      (await db.find(Photo, { where: { id, meta: jsonWithin(changed, bytes) } })).length === 1;

    it('is about the bytes of the object that jsonKeys makes', async () => {
      await fc.assert(
        fc.asyncProperty(texts, texts, async (before, changed) => {
          const id = await db.photo({ meta: before });
          const least = bytesOf({ ...before, ...changed });
          expect(await isWithin(id, changed, least - 1)).toBe(false);
          // Databases put a space after each colon and comma.
          expect(await isWithin(id, changed, least + 6)).toBe(true);
        }),
        { numRuns: runs(30) },
      );
    });

    it('counts what is no object as an empty one, and leaves out what is taken away', async () => {
      for (const meta of [null, [1, 2], 'text']) {
        const id = await db.photo({ meta });
        expect([meta, await isWithin(id, { a: undefined }, 2)]).toEqual([meta, true]);
        expect([meta, await isWithin(id, { a: 1 }, 6)]).toEqual([meta, false]);
      }
    });

    it('keeps an update from rows that would be too long', async () => {
      const [short, long] = [await db.photo({ meta: { a: 'x' } }), await db.photo({ meta: { a: 'x'.repeat(50) } })];
      const changed = { b: 'y' };
      const query = db.adapter.prepare('updateAll', Photo, {
        set: { meta: jsonKeys(changed) },
        where: { meta: jsonWithin(changed, 30) },
        returning: ['id'],
      });
      expect((await db.adapter.execute(query)).rows).toEqual([{ id: short }]);
      expect(await metaOf(long)).toEqual({ a: 'x'.repeat(50) });
    });

    it('is of JSON columns only', () => {
      const prepare = (): unknown => db.adapter.prepare('all', Photo, { where: { title: jsonWithin({ a: 1 }, 10) } });
      expect(prepare).toThrow('title is no JSON column, so it has no keys to be changed');
    });
  });

  describe('later', () => {
    const AT = new Date('2026-03-29T01:59:59.999Z');
    const after = (ms: number): Date => new Date(AT.getTime() + ms);

    it.each([
      ['none', null, AT],
      ['an earlier one', after(-1), AT],
      ['the same', AT, after(1)],
      ['a later one', after(5), after(6)],
      ['one in another year', new Date('2027-12-31T23:59:59.999Z'), new Date('2028-01-01T00:00:00.000Z')],
    ])('is later than the time before, where that is %s', async (_name, before, expected) => {
      const id = await db.photo({ takenAt: before });
      const query = db.adapter.prepare('updateAll', Photo, { set: { takenAt: later(param('at')) }, where: { id } });
      expect(await db.adapter.execute(query, { at: AT })).toEqual({ count: 1, rows: null });
      const read = async (): Promise<unknown> => (await db.find(Photo, { where: { id }, select: ['takenAt'] }))[0];
      expect(await read()).toEqual({ takenAt: expected });
      await db.adapter.update(Photo, { takenAt: later(AT) }, { id });
      expect(await read()).toEqual({ takenAt: new Date(expected.getTime() + 1) });
    });

    it('is exactly a millisecond later, at any time', async () => {
      const times = fc.date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
      await fc.assert(
        fc.asyncProperty(times, async (before) => {
          const id = await db.photo({ takenAt: before });
          const { takenAt } = await db.adapter.update(Photo, { takenAt: later(before) }, { id }, ['takenAt']);
          expect(takenAt).toEqual(new Date(before.getTime() + 1));
        }),
        { numRuns: runs(60) },
      );
    });
  });

  describe('stored', () => {
    const SERIAL = '0197B3D2-0000-7000-8000-00000000000A';

    it('is written as it is, by insert and by update', async () => {
      const values = { title: stored('a', 'string'), views: stored('9007199254740993', 'bigint') };
      const written = { ...values, takenAt: stored(new Date(1), 'timestamp'), meta: stored({ a: [1] }, 'json') };
      const read = { title: 'a', views: '9007199254740993', takenAt: new Date(1), meta: { a: [1] } };
      expect(await db.adapter.insert(Photo, written, { returning: Object.keys(read) })).toEqual(read);
      const id = await db.photo({});
      expect(await db.adapter.update(Photo, written, { id }, Object.keys(read))).toEqual(read);
    });

    it('is brought into the form of a column of another kind', async () => {
      const id = await db.photo({ serial: stored(SERIAL, 'string') });
      expect(await db.find(Photo, { where: { id }, select: ['serial'] })).toEqual([{ serial: SERIAL.toLowerCase() }]);
      const update = (serial: unknown) => db.adapter.update(Photo, { serial }, { id });
      await expect(update(stored('none', 'string'))).rejects.toMatchObject({ errors: { serial: 'must be a UUID' } });
    });

    it('may be null where the column may', async () => {
      const refused = db.adapter.insert(Photo, { title: stored(null, 'string') });
      await expect(refused).rejects.toMatchObject({ errors: { title: 'must not be null' } });
    });
  });

  it('are refused on columns of other kinds, and in what is inserted', async () => {
    for (const set of [{ title: jsonKeys({ a: 1 }) }, { title: later(new Date()) }, { meta: later(new Date()) }]) {
      expect(() => db.adapter.prepare('updateAll', Photo, { set })).toThrow(UnsupportedQueryError);
    }
    const row = { title: 'a', meta: jsonKeys({ a: 1 }), takenAt: later(new Date()) };
    await expect(db.adapter.insert(Photo, row)).rejects.toMatchObject({
      errors: { meta: expect.stringContaining('an update only'), takenAt: expect.stringContaining('an update only') },
    });
  });
}
