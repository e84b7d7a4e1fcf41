import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Column, ColumnKind } from '../port/columns.js';
import { canonical, canonicalCount, canonicalPattern, IMPOSSIBLE, toStored, ValueError } from './values.js';

const column = (kind: ColumnKind, rest: Partial<Column> = {}): Column => ({
  property: 'field',
  kind,
  nullable: true,
  ...rest,
});
const SECRET = 'a secret value';

describe('canonical', () => {
  it.each<[ColumnKind, unknown, unknown]>([
    ['string', 'a', 'a'],
    ['string', '', ''],
    ['uuid', 'AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE', 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'],
    ['int', -(2 ** 31), -(2 ** 31)],
    ['int', 2 ** 31 - 1, 2 ** 31 - 1],
    ['bigint', 5, '5'],
    ['bigint', -5n, '-5'],
    ['bigint', '0005', '5'],
    ['bigint', '-0', '0'],
    ['bigint', '9223372036854775807', '9223372036854775807'],
    ['number', -0, 0],
    ['number', 5e-324, 5e-324],
    ['decimal', '1.50', '1.5'],
    ['decimal', '-0.0', '0'],
    ['decimal', 1e21, '1000000000000000000000'],
    ['decimal', 5e-7, '0.0000005'],
    ['decimal', 1.5, '1.5'],
    ['boolean', false, false],
    ['enum', 'a', 'a'],
    ['json', { b: undefined, at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['json', String.raw`\u0000`, String.raw`\u0000`],
    ['json', [Number.NaN], [null]],
    ['other', SECRET, SECRET],
  ])('of %s: %o is %o', (kind, value, expected) => {
    expect(canonical(column(kind, { values: ['a'] }), value)).toStrictEqual(expected);
  });

  it.each<[ColumnKind, unknown]>([
    ['string', 'a\0'],
    ['string', '\ud800'],
    ['string', 'a\udfffb'],
    ['string', 'long'],
    ['uuid', 'no uuid'],
    ['uuid', '{aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee}'],
    ['uuid', 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee\n'],
    ['enum', 'b'],
    ['json', 'a\0'],
    ['json', { a: ['\ud800'] }],
    ['json', { '\0': 1 }],
  ])('of %s: %o is impossible', (kind, value) => {
    expect(canonical(column(kind, { values: ['a'], length: 3 }), value)).toBe(IMPOSSIBLE);
  });

  it.each<[ColumnKind, readonly unknown[]]>([
    ['string', [1, true, {}, ['a'], undefined]],
    ['uuid', [1, {}]],
    ['int', [1.5, 2 ** 31, -(2 ** 31) - 1, '1', NaN, 1n, undefined]],
    [
      'bigint',
      [1.5, 2 ** 53, '1.0', '', ' 1', '1e3', '0x1', 2n ** 63n, -(2n ** 63n) - 1n, '9223372036854775808', true],
    ],
    ['number', ['1', NaN, Infinity, 1n]],
    ['decimal', ['1e3', '.5', '', Infinity]],
    ['boolean', [0, 1, 'true', undefined]],
    ['timestamp', ['2026-01-01', 0, new Date(NaN), new Date('0999-12-31T23:59:59.999Z'), new Date(253402300800000)]],
    ['enum', [true, {}, undefined]],
    ['json', [undefined, 1n, () => 1, Symbol('a')]],
  ])('of %s throws a ValueError for another type', (kind, values) => {
    for (const value of values) expect(() => canonical(column(kind), value)).toThrow(ValueError);
  });

  it('of JSON throws a ValueError for a cycle', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(() => canonical(column('json'), cycle)).toThrow(ValueError);
  });

  it.each<ColumnKind>([
    'string',
    'uuid',
    'int',
    'bigint',
    'number',
    'decimal',
    'boolean',
    'timestamp',
    'enum',
    'json',
    'other',
  ])('of %s leaves null alone', (kind) => expect(canonical(column(kind), null)).toBeNull());

  it('counts characters by code points', () => {
    expect(canonical(column('string', { length: 3 }), '😀😀😀')).toBe('😀😀😀');
    expect(canonical(column('string', { length: 3 }), '😀😀😀😀')).toBe(IMPOSSIBLE);
  });

  it('gives another date and another document than it was given', () => {
    const date = new Date(0);
    const document = { list: [1] };
    expect(canonical(column('timestamp'), date)).not.toBe(date);
    expect(canonical(column('json'), document)).not.toBe(document);
    expect(canonical(column('json'), document)).toEqual(document);
  });

  it('of its own result is the same again', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const once = canonical(column('json'), value);
        fc.pre(once !== IMPOSSIBLE);
        expect(canonical(column('json'), once)).toStrictEqual(once);
      }),
    );
  });

  it('never puts the value into the message: it may be a secret', () => {
    const kinds: ColumnKind[] = ['int', 'bigint', 'number', 'decimal', 'boolean', 'timestamp'];
    for (const kind of kinds) {
      expect(() => canonical(column(kind), SECRET)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(SECRET) }),
      );
    }
  });
});

describe('toStored', () => {
  const transformer = {
    to: (value: unknown) => (value === null ? null : `<${JSON.stringify(value)}>`),
    from: (value: unknown) => value,
  };

  it('puts the value through the application’s own transformer first', () => {
    expect(toStored(column('string', { transformer }), 5)).toBe('<5>');
    expect(toStored(column('string', { transformer, length: 2 }), 5)).toBe(IMPOSSIBLE);
    expect(toStored(column('string', { transformer }), null)).toBeNull();
  });
});

describe('canonicalPattern', () => {
  it('may be longer than the text of the column, and of any column', () => {
    expect(canonicalPattern(column('string', { length: 1 }), '%%%')).toBe('%%%');
    expect(canonicalPattern(column('json'), 'a%')).toBe('a%');
  });

  it('is text that a database can hold', () => {
    expect(canonicalPattern(column('string'), 'a\0%')).toBe(IMPOSSIBLE);
    expect(() => canonicalPattern(column('string'), 5)).toThrow(ValueError);
  });
});

describe('canonicalCount', () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER])('takes %s', (count) => expect(canonicalCount(count)).toBe(count));

  it.each([-1, 1.5, NaN, Infinity, 2 ** 53, '1', null, undefined, 1n])('refuses %s', (count) => {
    expect(() => canonicalCount(count)).toThrow(ValueError);
  });
});
