import fc from 'fast-check';
import {
  And,
  Between,
  Equal,
  In,
  IsNull,
  LessThan,
  LessThanOrEqual,
  Like,
  MoreThan,
  MoreThanOrEqual,
  Not,
  Or,
} from 'typeorm';
import { beforeEach, describe, expect, it } from 'vitest';
import { Photo } from '../entities.js';
import type { AdapterFixture } from '../harness.js';
import { runs } from '../../support/runs.js';

type Truth = boolean | undefined;
type Ratings = number | null;

/** A condition, and what SQL's logic says of it: `undefined` is unknown. */
interface Case {
  readonly operator: unknown;
  readonly holds: (value: Ratings) => Truth;
}

const known = (test: (value: number) => boolean) => (value: Ratings) => (value === null ? undefined : test(value));
const not = (truth: Truth): Truth => (truth === undefined ? undefined : !truth);

function every(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(undefined) ? undefined : true;
}

/** Operators nested at will, with what they mean. */
const { condition } = fc.letrec<{ condition: Case }>((tie) => {
  const number = fc.integer({ min: 0, max: 4 });
  const parts = fc.array(tie('condition'), { minLength: 1, maxLength: 3 });
  return {
    condition: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant<Case>({ operator: IsNull(), holds: (value) => value === null }),
      number.map<Case>((n) => ({ operator: Equal(n), holds: known((value) => value === n) })),
      number.map<Case>((n) => ({ operator: LessThan(n), holds: known((value) => value < n) })),
      number.map<Case>((n) => ({ operator: LessThanOrEqual(n), holds: known((value) => value <= n) })),
      number.map<Case>((n) => ({ operator: MoreThan(n), holds: known((value) => value > n) })),
      number.map<Case>((n) => ({ operator: MoreThanOrEqual(n), holds: known((value) => value >= n) })),
      fc
        .tuple(number, number)
        .map<Case>(([a, b]) => ({ operator: Between(a, b), holds: known((value) => value >= a && value <= b) })),
      fc.array(number, { maxLength: 3 }).map<Case>((list) => ({
        operator: In(list),
        holds: list.length === 0 ? () => false : known((value) => list.includes(value)),
      })),
      tie('condition').map<Case>((part) => ({
        operator: Not(part.operator),
        holds: (value) => not(part.holds(value)),
      })),
      parts.map<Case>((all) => ({
        operator: And(...(all.map((part) => part.operator) as never[])),
        holds: (value) => every(all.map((part) => part.holds(value))),
      })),
      parts.map<Case>((any) => ({
        operator: Or(...(any.map((part) => part.operator) as never[])),
        holds: (value) => not(every(any.map((part) => not(part.holds(value))))),
      })),
    ),
  };
});

export function conditions(db: AdapterFixture): void {
  const RATINGS: readonly Ratings[] = [0, 1, 2, 3, 4, null];

  describe('on numbers and null', () => {
    beforeEach(async () => {
      for (const rating of RATINGS) await db.photo({ title: `${rating}`, rating });
    });

    it.each([
      ['a value', 2, ['2']],
      ['Equal', Equal(2), ['2']],
      ['Not', Not(2), ['0', '1', '3', '4']],
      ['LessThan', LessThan(2), ['0', '1']],
      ['LessThanOrEqual', LessThanOrEqual(2), ['0', '1', '2']],
      ['MoreThan', MoreThan(2), ['3', '4']],
      ['MoreThanOrEqual', MoreThanOrEqual(2), ['2', '3', '4']],
      ['In', In([1, 3, 9]), ['1', '3']],
      ['In of no values', In([]), []],
      ['Not In', Not(In([1, 3])), ['0', '2', '4']],
      ['Not In of no values', Not(In([])), ['0', '1', '2', '3', '4', 'null']],
      ['null', null, ['null']],
      ['IsNull', IsNull(), ['null']],
      ['Not IsNull', Not(IsNull()), ['0', '1', '2', '3', '4']],
      ['Not null', Not(null), ['0', '1', '2', '3', '4']],
      ['Equal to null', Equal(null), []],
      ['Not Equal to null', Not(Equal(null)), []],
      ['In with a null', In([1, null]), ['1']],
      ['Not In with a null', Not(In([1, null])), []],
      ['Between', Between(1, 3), ['1', '2', '3']],
      ['Between the wrong way round', Between(3, 1), []],
      ['And', And(MoreThan(0), LessThan(3)), ['1', '2']],
      ['Or', Or(LessThan(1), MoreThan(3), IsNull()), ['0', '4', 'null']],
      ['Not Not', Not(Not(Equal(2))), ['2']],
      ['Not Or', Not(Or(Equal(1), IsNull())), ['0', '2', '3', '4']],
    ])('%s', async (_name, rating, expected) => {
      expect(await db.titles({ rating })).toEqual(expected);
    });

    it('operators nested at will mean what SQL means by them: null is unknown, and so is its negation', async () => {
      await fc.assert(
        fc.asyncProperty(condition, async ({ operator, holds }) => {
          const expected = RATINGS.filter((value) => holds(value) === true).map(String);
          expect(await db.titles({ rating: operator })).toEqual(expected);
        }),
        { numRuns: runs(200) },
      );
    });
  });

  it('several columns of a set must all match, of several sets any', async () => {
    await db.photo({ title: 'a', rating: 1, hidden: true });
    await db.photo({ title: 'b', rating: 1, hidden: false });
    await db.photo({ title: 'c', rating: 2, hidden: true });
    expect(await db.titles({ rating: 1, hidden: true })).toEqual(['a']);
    expect(await db.titles([{ rating: 1, hidden: false }, { rating: 2 }])).toEqual(['b', 'c']);
  });

  it('no conditions match every row, an empty list of sets none', async () => {
    await db.photos('a', 'b');
    expect(await db.titles({})).toEqual(['a', 'b']);
    expect(await db.titles([])).toEqual([]);
    expect(await db.titles([{}, { title: 'a' }])).toEqual(['a', 'b']);
  });

  it('sets that go on to another column where one is null may end with any of them', async () => {
    const takenAt = new Date(Date.UTC(2026, 0, 1));
    await db.photo({ title: 'a', takenAt });
    await db.photo({ title: 'b', takenAt: null, rating: 1 });
    await db.photo({ title: 'c', takenAt: null, rating: null });
    const chain = [{ takenAt }, { takenAt: null, rating: 1 }];
    expect(await db.titles(chain)).toEqual(['a', 'b']);
    expect(await db.titles([...chain, { rating: 1 }])).toEqual(['a', 'b']);
    expect(await db.titles([...chain, { takenAt: null }])).toEqual(['a', 'b', 'c']);
    expect(await db.titles([...chain, { takenAt: null, rating: null }])).toEqual(['a', 'b', 'c']);
  });

  it('a row that meets several sets comes once', async () => {
    await db.photos('a');
    expect(await db.titles([{ title: 'a' }, { hidden: false }])).toEqual(['a']);
  });

  it('dates compare by the millisecond', async () => {
    const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms);
    for (const ms of [0, 1, 2]) await db.photo({ title: `${ms}`, takenAt: at(ms) });
    expect(await db.titles({ takenAt: at(1) })).toEqual(['1']);
    expect(await db.titles({ takenAt: MoreThan(at(0)) })).toEqual(['1', '2']);
    expect(await db.titles({ takenAt: Between(at(0), at(1)) })).toEqual(['0', '1']);
    expect(await db.titles({ takenAt: In([at(0), at(2)]) })).toEqual(['0', '2']);
  });

  it('bigints compare as numbers, not as text, and exactly', async () => {
    for (const views of ['9', '10', '9007199254740992', '9007199254740993']) await db.photo({ title: views, views });
    expect(await db.titles({ views: MoreThan('9') })).toEqual(['10', '9007199254740992', '9007199254740993']);
    expect(await db.titles({ views: '9007199254740993' })).toEqual(['9007199254740993']);
    expect(await db.titles({ views: In(['9007199254740992', 10]) })).toEqual(['10', '9007199254740992']);
  });

  it('booleans compare', async () => {
    await db.photo({ title: 'a', hidden: true });
    await db.photo({ title: 'b', hidden: false });
    expect(await db.titles({ hidden: true })).toEqual(['a']);
    expect(await db.titles({ hidden: Not(true) })).toEqual(['b']);
    expect(await db.titles({ hidden: In([true, false]) })).toEqual(['a', 'b']);
  });

  it('the values of an enum compare as text, whatever order they were declared in', async () => {
    for (const state of ['draft', 'Public', 'archived']) await db.photo({ title: state, state });
    expect(await db.titles({ state: 'Public' })).toEqual(['Public']);
    expect(await db.titles({ state: In(['draft', 'archived']) })).toEqual(['draft', 'archived']);
    expect(await db.titles({ state: LessThan('draft') })).toEqual(['Public', 'archived']);
    expect(await db.titles({ state: MoreThan('Public') })).toEqual(['draft', 'archived']);
  });

  describe('a value that the column cannot hold', () => {
    beforeEach(async () => {
      await db.photo({
        title: 'held',
        caption: 'a\ufffd',
        album: 'x',
        position: 1,
        serial: '0190a1b2-0000-7000-8000-000000000000',
      });
      await db.photo({ title: 'null' });
    });

    const IMPOSSIBLE: readonly [string, string, unknown][] = [
      ['no UUID', 'serial', 'no uuid'],
      ['a NUL character', 'caption', 'a\0'],
      ['a lone surrogate', 'caption', 'a\ud800'],
      ['too many characters', 'album', 'x'.repeat(21)],
    ];

    it.each(IMPOSSIBLE)('(%s) matches nothing', async (_name, column, value) => {
      for (const operator of [value, Equal(value), In([value]), LessThan(value), MoreThan(value), Not(Not(value))]) {
        expect(await db.titles({ [column]: operator })).toEqual([]);
      }
    });

    it.each(IMPOSSIBLE)('(%s) is unequal to every value, and unknown for null', async (_name, column, value) => {
      expect(await db.titles({ [column]: Not(value) })).toEqual(['held']);
      expect(await db.titles({ [column]: Not(In([value])) })).toEqual(['held']);
    });

    it.each(IMPOSSIBLE)('(%s) leaves the other values of a list alone', async (_name, column, value) => {
      const [{ [column]: held }] = (await db.find(Photo, { where: { title: 'held' } })) as [Record<string, unknown>];
      expect(await db.titles({ [column]: In([value, held]) })).toEqual(['held']);
      expect(await db.titles({ [column]: Or(Equal(value), Equal(held)) })).toEqual(['held']);
    });

    it('that is no value of an enum matches nothing', async () => {
      expect(await db.titles({ state: 'none' })).toEqual([]);
      expect(await db.titles({ state: Not('none') })).toEqual(['held', 'null']);
    });

    it('is no pattern', async () => {
      for (const pattern of ['a\0%', 'a\ud800']) expect(await db.titles({ caption: Like(pattern) })).toEqual([]);
    });
  });
}
