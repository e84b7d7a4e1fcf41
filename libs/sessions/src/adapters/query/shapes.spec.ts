import { And, Equal, In, IsNull, LessThan, Like, MoreThan, Not, Or } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { column, jsonKeys, JsonPath, jsonWithin, later, param, stored } from '../port/operators.js';
import { allOf, type Conditions, type Row } from '../port/query.js';
import { shapeOf } from './shapes.js';

const conditions = (id: string, time: Date, ids: readonly string[]): Conditions =>
  allOf({ id, other: IsNull(), gone: null }, [
    { end: Or(IsNull(), And(MoreThan(time), Not(Equal(time)))) },
    { end: LessThan(time), id: In([...ids]) },
  ]);

describe('The shape of a query', () => {
  const [early, late] = [new Date(1), new Date(2)];

  it('is the same for other values, which are its parameters, by the names of their columns', () => {
    const one = shapeOf({ name: 'a', copy: column('name'), at: later(early) }, conditions('x', early, ['1']))!;
    const other = shapeOf({ name: null, copy: column('name'), at: later(late) }, conditions('y', late, ['2', '3']))!;
    expect(other.key).toBe(one.key);
    expect({ ...one.params }).toEqual({
      name: 'a',
      at: early,
      id: 'x',
      end: early,
      'end\u00002': early,
      'end\u00003': early,
      'id\u00002': ['1'],
    });
    expect(one.set).toEqual({ name: param('name'), copy: column('name'), at: later(param('at')) });
    expect(one.where).toEqual(
      allOf({ id: param('id'), other: IsNull(), gone: null }, [
        { end: Or(IsNull(), And(MoreThan(param('end')), Not(Equal(param('end\u00002'))))) },
        { end: LessThan(param('end\u00003')), id: In(param('id\u00002')) },
      ]),
    );
  });

  it('is another one for other columns, operators and ways to join them', () => {
    const where: readonly Conditions[] = [
      { a: 1 },
      { b: 1 },
      { a: null },
      { a: Not(1) },
      { a: Not(IsNull()) },
      { a: LessThan(1) },
      { a: In([1]) },
      { a: 1, b: 1 },
      [{ a: 1 }, { b: 1 }],
      allOf({ a: 1 }, { b: 1 }),
      [allOf({ a: 1 }), { b: 1 }],
      { a: Or(Equal(1), IsNull()) },
      { a: And(Equal(1), IsNull()) },
    ];
    const sets: readonly (Row | undefined)[] = [undefined, { a: 1 }, { a: column('b') }, { a: later(early) }];
    const keys = where.flatMap((one) => sets.map((set) => shapeOf(set, one)!.key));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is none where the text depends on a value', () => {
    for (const where of [
      { a: JsonPath(['b'], 1) },
      { a: Like('b%') },
      { a: undefined },
      { a: Or(Like('b'), IsNull()) },
    ])
      expect(shapeOf({ a: stored('b', 'string') }, where)).toBeUndefined();
  });

  it('is that of all changes of as many keys, within as many bytes', () => {
    const keyOf = (keys: Row, bytes: number): string =>
      shapeOf({ a: jsonKeys(keys) }, { a: jsonWithin(keys, bytes) })!.key;
    expect(keyOf({ b: 1, c: undefined }, 9)).toBe(keyOf({ d: undefined, e: [2] }, 9));
    for (const [keys, bytes] of [
      [{ b: 1 }, 9],
      [{ b: 1, c: 2 }, 9],
      [{ b: 1, c: undefined }, 8],
    ] as const)
      expect(keyOf(keys, bytes)).not.toBe(keyOf({ b: 1, c: undefined }, 9));
  });

  it('takes no name for anything else than a column', () => {
    const set = JSON.parse('{"__proto__": 1, "constructor": 2}') as Row;
    const { params } = shapeOf(set, { toString: 3 })!;
    expect(Object.entries(params)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
      ['toString', 3],
    ]);
  });
});
