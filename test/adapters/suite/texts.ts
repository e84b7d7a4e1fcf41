import fc from 'fast-check';
import { Equal, In, LessThan, LessThanOrEqual, Like, MoreThan, MoreThanOrEqual, Not } from 'typeorm';
import { beforeEach, describe, expect, it } from 'vitest';
import { param } from '@app/sessions';
import { Photo, Tag } from '../entities.js';
import { type AdapterFixture, byCodePoint } from '../harness.js';
import { runs } from '../../support/runs.js';

/** Texts that one collation or another takes for equal, or sorts otherwise than their code points. */
const TEXTS = [
  '', ' ', 'a', 'A', 'a ', 'a  ', ' a', 'a\t', 'a\n', 'B', 'b', 'ä', 'Ä', 'a\u0308', 'é', 'e\u0301', 'ß', 'ss', 'SS',
  'İ', 'i', 'I', 'ı', 'ﬁ', 'fi', '½', '1', '10', '9', '😀', '😁', '\uffff', '\ufffd', '\u200b', 'a\u200b', "a'", 'a"', 'a\\', 'a\\\\', '%', '_',
].sort(byCodePoint); // prettier-ignore

/** What a pattern means, told by another way than that of the adapters. */
function matches(pattern: string, text: string): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text === '';
  const after = rest.join('');
  const [head, ...tail] = text;
  if (first === '%') return matches(after, text) || (head !== undefined && matches(pattern, tail.join('')));
  if (head === undefined) return false;
  if (first === '\\' && rest.length > 0) return head === rest[0] && matches(rest.slice(1).join(''), tail.join(''));
  return (first === '_' || first === head) && matches(after, tail.join(''));
}

export function texts(db: AdapterFixture): void {
  describe('of one column', () => {
    beforeEach(async () => {
      await db.adapter.insertAll(
        Photo,
        TEXTS.map((title) => ({ title, caption: title })),
      );
    });

    const sorted = async (where: Record<string, unknown>, params = {}): Promise<unknown[]> =>
      (await db.titles(where, params)).sort((a, b) => byCodePoint(String(a), String(b)));

    it.each(['title', 'caption'])(
      'equals itself and nothing else, in %s: by code points, to the last space',
      async (column) => {
        for (const text of TEXTS) {
          expect(await db.titles({ [column]: text })).toEqual([text]);
          expect(await db.titles({ [column]: In([text]) })).toEqual([text]);
          expect(await db.titles({ [column]: param('text') }, { text })).toEqual([text]);
          expect(await db.titles({ [column]: In([param('text'), 'none']) }, { text })).toEqual([text]);
        }
      },
    );

    it('is unequal to all others', async () => {
      for (const text of TEXTS) {
        const others = TEXTS.filter((other) => other !== text);
        expect(await sorted({ title: Not(text) })).toEqual(others);
        expect(await sorted({ title: Not(In([text])) })).toEqual(others);
      }
    });

    it('compares by code points', async () => {
      for (const [i, text] of TEXTS.entries()) {
        expect(await sorted({ title: LessThan(text) })).toEqual(TEXTS.slice(0, i));
        expect(await sorted({ title: LessThanOrEqual(text) })).toEqual(TEXTS.slice(0, i + 1));
        expect(await sorted({ title: MoreThan(text) })).toEqual(TEXTS.slice(i + 1));
        expect(await sorted({ title: MoreThanOrEqual(text) })).toEqual(TEXTS.slice(i));
      }
    });

    it.each(['title', 'caption'])('sorts by code points, in %s', async (column) => {
      const order = async (direction: 'ASC' | 'DESC') =>
        (await db.find(Photo, { order: { [column]: direction } })).map((row) => row['title']);
      expect(await order('ASC')).toEqual(TEXTS);
      expect(await order('DESC')).toEqual(TEXTS.toReversed());
    });

    it('matches patterns by case, by code points, with backslashes before what stands for itself', async () => {
      const unit = fc.constantFrom('%', '_', '\\', 'a', 'A', 'ä', '😀', ' ', '*', '?', '[', ']', '^', "'");
      await fc.assert(
        fc.asyncProperty(fc.string({ unit, maxLength: 6 }), async (pattern) => {
          const expected = TEXTS.filter((text) => matches(pattern, text));
          expect(await sorted({ title: Like(pattern) })).toEqual(expected);
          expect(await sorted({ title: Like(param('pattern')) }, { pattern })).toEqual(expected);
        }),
        { numRuns: runs(150) },
      );
    });
  });

  it.each([
    ['a%', ['apple', 'a_b', 'a%b', 'a*b']],
    ['%e', ['apple', 'Apple']],
    ['A%', ['Apple']],
    ['a_b', ['a_b', 'a%b', 'a*b']],
    [String.raw`a\_b`, ['a_b']],
    [String.raw`a\%b`, ['a%b']],
    ['a*b', ['a*b']],
    [String.raw`back\\slash`, [String.raw`back\slash`]],
    [String.raw`\a\p%`, ['apple']],
    ['_', ['😀']],
    ['%\n%', ['two\nlines']],
    ['apple', ['apple']],
    ['apple%%%', ['apple']],
    ['', []],
  ])('Like(%j)', async (pattern, expected) => {
    await db.photos('apple', 'Apple', 'a_b', 'a%b', 'a*b', String.raw`back\slash`, '😀', 'two\nlines');
    expect(await db.titles({ title: Like(pattern) })).toEqual(expected);
  });

  it('a pattern may be longer than the column', async () => {
    await db.photos('ab');
    expect(await db.titles({ title: Like(`${'%'.repeat(60)}b`) })).toEqual(['ab']);
  });

  it('Not Like is unknown for null', async () => {
    await db.photo({ title: 'a', caption: 'a' });
    await db.photo({ title: 'b', caption: 'b' });
    await db.photo({ title: 'null' });
    expect(await db.titles({ caption: Not(Like('a%')) })).toEqual(['b']);
  });

  it('a key of text is found by case and to the last space', async () => {
    await db.adapter.insert(Tag, { name: 'key' });
    for (const name of ['Key', 'key ', 'kéy']) expect(await db.find(Tag, { where: { name: Equal(name) } })).toEqual([]);
    expect(await db.find(Tag, { where: { name: 'key' }, select: ['name'] })).toEqual([{ name: 'key' }]);
  });

  it('text is counted by code points: a column of 20 characters holds 20 emoji', async () => {
    const album = '😀'.repeat(20);
    await db.photo({ album, position: 1 });
    expect(await db.count(Photo, { album })).toBe(1);
  });
}
