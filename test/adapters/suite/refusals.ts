import { Any, ArrayContains, ArrayOverlap, Between, Equal, ILike, In, Like, MoreThan, Not, Raw } from 'typeorm';
import { describe, expect, it } from 'vitest';
import {
  column,
  JsonPath,
  param,
  SessionValidationError,
  UnsupportedQueryError,
  type QueryOptions,
} from '@app/sessions';
import { Country, Membership, Photo } from '../entities.js';
import type { AdapterFixture } from '../harness.js';

const SOME_DATE = new Date(0);

export function refusals(db: AdapterFixture): void {
  const preparing =
    (options: QueryOptions, kind: 'all' | 'updateAll' | 'deleteAll' = 'all', schema: unknown = Photo) =>
    (): unknown =>
      db.adapter.prepare(kind, schema as typeof Photo, options);

  describe('an UnsupportedQueryError names', () => {
    it.each<[string, QueryOptions, RegExp]>([
      ['Raw', { where: { title: Raw('1 = 1') } }, /"raw" on "title"/],
      ['Raw inside Not', { where: { title: Not(Raw((alias) => `${alias} IS NULL`)) } }, /"raw" on "title"/],
      ['ILike', { where: { title: ILike('a%') } }, /"ilike" on "title"/],
      ['ArrayContains', { where: { title: ArrayContains(['a']) } }, /"arrayContains" on "title"/],
      ['ArrayOverlap', { where: { title: ArrayOverlap(['a']) } }, /"arrayOverlap" on "title"/],
      ['Any', { where: { title: Any(['a']) } }, /"any" on "title"/],
      ['Raw inside a JSON path', { where: { meta: JsonPath(['a'], Raw('1 = 1')) } }, /"raw" on "meta"/],
      ['a filter by a relation', { where: { owner: { id: 'a' } } }, /"owner" is a relation/],
      ['an order by a relation', { order: { owner: 'ASC' } }, /"owner" is a relation/],
      ['a JSON column compared as a whole', { where: { meta: { a: 1 } } }, /JSON column "meta"/],
      ['a JSON column in Not', { where: { meta: Not({ a: 1 }) } }, /JSON column "meta"/],
      ['a JSON column in a list', { where: { meta: In([{ a: 1 }]) } }, /JSON column "meta"/],
      ['a JSON column in Between', { where: { meta: Between(1, 2) } }, /JSON column "meta"/],
      ['a JSON column and a parameter', { where: { meta: param('meta') } }, /JSON column "meta"/],
      ['an order by a JSON column', { order: { meta: 'ASC' } }, /JSON column "meta"/],
      ['a count with take', { count: true, take: 1 }, /count takes no take/],
      ['a count with skip', { count: true, skip: 1 }, /count takes no take/],
    ])('%s', (_name, options, message) => {
      expect(preparing(options)).toThrow(UnsupportedQueryError);
      expect(preparing(options)).toThrow(message);
    });

    it('what a write takes not', () => {
      const set = { title: 'a' };
      expect(preparing({ set, take: 1 }, 'updateAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ set, order: { id: 'ASC' } }, 'updateAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ set, relations: { owner: true } }, 'updateAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ skip: 1 }, 'deleteAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ relations: { owner: true } }, 'deleteAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ set, skipLocked: true, returning: ['id'] }, 'updateAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ skipLocked: true }, 'deleteAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ skipLocked: true })).toThrow(UnsupportedQueryError);
      const withTwoKeys = preparing({ set: { role: 'a' }, skipLocked: true }, 'updateAll', Membership);
      expect(withTwoKeys).toThrow('skipLocked is without returning, for a table with one key column');
      expect(preparing({ returningMax: 'position' })).toThrow(UnsupportedQueryError);
      expect(preparing({ returningMax: 'position' }, 'deleteAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ take: 1, returningMax: 'title' }, 'deleteAll')).toThrow(
        '"title" is no column of dates or numbers',
      );
    });

    it.each<[string, QueryOptions['set']]>([
      ['a column that takes its own value', { caption: column('caption') }],
      ['two columns that take each other’s', { caption: column('title'), title: column('caption') }],
      ['a chain, in one order', { album: column('caption'), caption: column('title') }],
      ['a chain, in the other order', { caption: column('title'), album: column('caption') }],
    ])('%s', (_name, set) => {
      expect(preparing({ set }, 'updateAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ set }, 'updateAll')).toThrow(/"caption" cannot take|value of "caption"/);
    });

    it('an enum column that takes the value of another', () => {
      expect(preparing({ set: { state: column('title') } }, 'updateAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ set: { state: column('title') } }, 'updateAll')).toThrow('"state"');
    });

    it.each<['all' | 'updateAll' | 'deleteAll', QueryOptions]>([
      ['all', { set: { title: 'a' } }],
      ['all', { returning: ['id'] }],
      ['updateAll', { select: ['id'] }],
      ['updateAll', { count: true }],
      ['deleteAll', { select: ['id'] }],
      ['deleteAll', { count: true }],
      ['deleteAll', { set: { title: 'a' } }],
    ])('an option of another kind of query than %s: %o', (kind, options) => {
      const query = { ...(kind === 'updateAll' && { set: { title: 'a' } }), ...options };
      expect(preparing(query, kind)).toThrow(UnsupportedQueryError);
      expect(preparing(query, kind)).toThrow(`${kind} takes no ${Object.keys(options)[0]}`);
    });

    it('what reads no latest rows', () => {
      expect(preparing({ set: { title: 'a' }, currentRows: true }, 'updateAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ currentRows: true }, 'deleteAll')).toThrow(UnsupportedQueryError);
      expect(preparing({ relations: { owner: true }, currentRows: true })).toThrow(UnsupportedQueryError);
    });
  });

  describe('a SessionValidationError names', () => {
    it.each<[string, QueryOptions]>([
      ['nope', { where: { nope: 1 } }],
      ['nope', { where: [{ title: 'a' }, { nope: 1 }] }],
      ['nope', { select: ['nope'] }],
      ['nope', { order: { nope: 'ASC' } }],
      ['nope', { relations: { nope: true } }],
      ['nope', { relations: { owner: { nope: true } } }],
      ['toString', { where: { toString: 'a' } }],
    ])('the unknown name %s: %o', (name, options) => {
      expect(preparing(options)).toThrow(SessionValidationError);
      expect(preparing(options)).toThrow(name);
    });

    it('the unknown name __proto__, which would else change the object of the values', () => {
      const set = JSON.parse('{ "title": "a", "__proto__": { "state": "draft" } }') as Record<string, unknown>;
      expect(preparing({ set }, 'updateAll')).toThrow(SessionValidationError);
    });

    it.each(['all', 'updateAll', 'deleteAll'] as const)('options that there are not, of %s', async (kind) => {
      await db.photos('a', 'b');
      const options = { set: { title: 'c' }, takes: 1, limit: 1 };
      expect(preparing(options as QueryOptions, kind)).toThrow(SessionValidationError);
      expect(preparing(options as QueryOptions, kind)).toThrow(
        /takes is no option \(did you mean take\?\); limit is no option \(there are: where, /,
      );
      expect(preparing(5 as QueryOptions, kind)).toThrow('options must be an object');
      expect(await db.titles()).toEqual(['a', 'b']);
    });

    it.each(['all', 'updateAll', 'deleteAll'] as const)('conditions that are none, of %s', (kind) => {
      const where = (given: unknown): QueryOptions => ({ where: given as QueryOptions['where'] });
      expect(preparing(where(Promise.resolve({ title: 'a' })), kind)).toThrow(
        'where must be an object with conditions',
      );
      expect(preparing(where([{ title: 'a' }, new Map()]), kind)).toThrow('not a Map');
    });

    it('what is not known of any option, by the nearest', () => {
      const names: readonly (keyof QueryOptions)[] = [
        ...(['where', 'select', 'order', 'take', 'skip', 'relations', 'count', 'currentRows'] as const),
        ...(['set', 'collationEquality', 'keepPrepared', 'returning', 'returningMax'] as const),
      ];
      for (const name of names) {
        expect(preparing({ [`${name}x`]: 1 })).toThrow(`${name}x is no option (did you mean ${name}?)`);
      }
    });

    it('options of an insert that there are not; nothing is written', async () => {
      const wrong = { onConflicts: 'nothing', return: ['id'] } as object;
      await expect(db.adapter.insert(Photo, { title: 'a' }, wrong)).rejects.toThrow(
        /onConflicts is no option \(did you mean onConflict\?\); return is no option/,
      );
      await expect(db.adapter.insertAll(Photo, [{ title: 'a' }], wrong)).rejects.toThrow('return is no option');
      await expect(db.adapter.insertAll(Photo, [{ title: 'a' }], { returning: ['id'] } as object)).rejects.toThrow(
        'returning is no option (there are: onConflict, keepPrepared)',
      );
      for (const onConflict of ['ignore', null, { update: ['title'], targets: ['id'] }] as never[]) {
        const conflict = { code: 'ERR_SESSION_INVALID' };
        await expect(db.adapter.insert(Photo, { title: 'a' }, { onConflict })).rejects.toMatchObject(conflict);
        await expect(db.adapter.insertAll(Photo, [{ title: 'a' }], { onConflict })).rejects.toMatchObject(conflict);
      }
      expect(await db.count(Photo)).toBe(0);
    });

    it.each([
      { maxRow: 1 },
      { maxRows: 0 },
      { maxRows: -1 },
      { maxRows: 1.5 },
      { maxRows: '1' },
      { maxRows: Infinity },
    ])('how no stream is read: %o', async (options) => {
      await db.photos('a');
      const query = db.adapter.prepare('all', Photo, { order: { title: 'ASC' } });
      expect(() => db.adapter.stream(query, {}, options as object)).toThrow(SessionValidationError);
    });

    it.each(['asc', 'desc', 1, -1, null, '', { direction: 'ASC', nulls: 'LAST' }])(
      'a direction that is none: %o',
      (direction) => {
        const order = { title: direction } as QueryOptions['order'];
        for (const kind of ['all', 'deleteAll'] as const) {
          expect(preparing({ order, take: 1 }, kind)).toThrow(SessionValidationError);
          expect(preparing({ order, take: 1 }, kind)).toThrow('title is sorted by ASC or DESC only');
        }
      },
    );

    it('an unknown column, but none of those that nothing shows', () => {
      expect(preparing({ where: { nope: 1 } }, 'all', Country)).toThrow('nope is no column (there are: code, name)');
      expect(preparing({ where: { rank: 1 } }, 'all', Country)).not.toThrow();
    });

    it('an unknown column to set or to return', async () => {
      expect(preparing({ set: { nope: 1 } }, 'updateAll')).toThrow(SessionValidationError);
      expect(preparing({ set: { title: 'a' }, returning: ['nope'] }, 'updateAll')).toThrow(SessionValidationError);
      expect(preparing({ returning: ['nope'] }, 'deleteAll')).toThrow(SessionValidationError);
      expect(preparing({ take: 1, returningMax: 'nope' }, 'deleteAll')).toThrow(SessionValidationError);
      await expect(db.adapter.insert(Photo, { nope: 1 })).rejects.toThrow(SessionValidationError);
      await expect(db.adapter.insert(Photo, { title: 'a' }, { returning: ['nope'] })).rejects.toThrow(
        SessionValidationError,
      );
      expect(await db.count(Photo)).toBe(0);
    });

    it('an unknown column whose value is to be set', () => {
      expect(preparing({ set: { title: column('nope') } }, 'updateAll')).toThrow(SessionValidationError);
      expect(preparing({ set: { title: column('nope') } }, 'updateAll')).toThrow('nope');
      expect(preparing({ set: { nope: column('title') } }, 'updateAll')).toThrow(SessionValidationError);
      expect(preparing({ set: { title: column('owner') } }, 'updateAll')).toThrow(/"owner" is a relation/);
    });

    it.each([
      ['title', 'views'],
      ['position', 'views'],
      ['rating', 'position'],
      ['caption', 'state'],
      ['serial', 'title'],
      ['meta', 'caption'],
    ])('%s, set to the value of a column of another type: %s', (name, source) => {
      expect(preparing({ set: { [name]: column(source) } }, 'updateAll')).toThrow(SessionValidationError);
      expect(preparing({ set: { [name]: column(source) } }, 'updateAll')).toThrow(`${name} cannot take`);
    });

    it.each(['title', 'meta'])('%s of a new row, set to the value of a column', async (name) => {
      await expect(db.photo({ [name]: column('caption') })).rejects.toMatchObject({
        code: 'ERR_SESSION_INVALID',
        errors: { [name]: expect.any(String) },
      });
      expect(await db.count(Photo)).toBe(0);
    });

    it('an update that sets nothing', () => {
      expect(preparing({ set: {} }, 'updateAll')).toThrow(SessionValidationError);
      expect(preparing({}, 'updateAll')).toThrow(SessionValidationError);
    });

    it.each<[string, unknown]>([
      ['title', 5],
      ['title', undefined],
      ['title', column('caption')],
      ['title', In([column('caption')])],
      ['title', Like(column('caption'))],
      ['meta', JsonPath(['a'], column('caption'))],
      ['title', { a: 1 }],
      ['title', ['a']],
      ['title', In('a' as never)],
      ['title', Like(5)],
      ['title', MoreThan(5)],
      ['position', '1'],
      ['position', 1.5],
      ['position', 2 ** 31],
      ['position', Like('1%')],
      ['views', 1.5],
      ['views', 2n ** 63n],
      ['views', '1e3'],
      ['rating', NaN],
      ['rating', Infinity],
      ['rating', '1'],
      ['hidden', 1],
      ['hidden', 'true'],
      ['takenAt', '2026-01-01'],
      ['takenAt', 0],
      ['takenAt', new Date(NaN)],
      ['takenAt', new Date('0999-12-31T23:59:59Z')],
      ['takenAt', Between<unknown>(SOME_DATE, 1)],
      ['serial', 5],
      ['state', true],
      ['state', Like('d%')],
      ['title', JsonPath(['a'], 1)],
      ['meta', JsonPath(['a'], { b: 1 })],
      ['meta', JsonPath(['a'], [1])],
      ['meta', JsonPath(['a'], NaN)],
      ['meta', JsonPath(['a"b'], 1)],
      ['meta', JsonPath([''], 1)],
      ['meta', JsonPath(['-a'], 1)],
      ['meta', JsonPath([-1], 1)],
      ['meta', JsonPath([1.5], 1)],
    ])('%s, filtered by a value of another type: %o', (name, value) => {
      expect(preparing({ where: { [name]: value } })).toThrow(SessionValidationError);
      expect(preparing({ where: { [name]: value } })).toThrow(name);
    });

    it.each<[string, unknown]>([
      ['title', 5],
      ['title', null],
      ['title', 'x'.repeat(51)],
      ['title', 'a\0'],
      ['title', 'a\udc00'],
      ['title', Equal('a')],
      ['position', 2 ** 31],
      ['rating', Infinity],
      ['takenAt', 'now'],
      ['meta', 1n],
      ['meta', { a: 'b\0' }],
      ['meta', { '\ud800': 1 }],
      ['meta', () => 1],
      ['state', 'none'],
      ['serial', 'no uuid'],
    ])('%s, set to what it cannot hold: %o; nothing is written', async (name, value) => {
      const invalid = { code: 'ERR_SESSION_INVALID', errors: { [name]: expect.any(String) } };
      await expect(db.photo({ [name]: value })).rejects.toMatchObject(invalid);
      const id = await db.photo({ title: 'old' });
      await expect(db.adapter.update(Photo, { [name]: value }, { id })).rejects.toMatchObject(invalid);
      expect(await db.titles()).toEqual(['old']);
    });

    it('every column that is wrong, and none of the values', async () => {
      const error: unknown = await db
        .photo({ title: 'secret\0', serial: 'secret', rating: 'secret' })
        .catch((reason: unknown) => reason);
      expect(Object.keys((error as SessionValidationError).errors)).toEqual(['title', 'serial', 'rating']);
      expect(JSON.stringify(error) + String(error)).not.toContain('secret');
    });

    it.each([-1, 1.5, NaN, '1', null])('a number of rows that is none: %s', (rows) => {
      for (const name of ['take', 'skip']) {
        expect(preparing({ [name]: rows })).toThrow(SessionValidationError);
        expect(preparing({ [name]: rows })).toThrow(name);
      }
    });
  });
}
