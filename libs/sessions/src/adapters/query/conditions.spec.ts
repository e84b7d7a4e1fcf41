import { And, Between, Equal, ILike, In, IsNull, LessThan, Like, MoreThan, Not, Or, Raw } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { SessionValidationError, UnsupportedQueryError } from '../../errors/errors.js';
import type { Column } from '../port/columns.js';
import { all, columnOf, compileWhere, type Condition } from './conditions.js';
import { type Columns } from '../port/columns.js';
import { JsonPath, param } from '../port/operators.js';

const COLUMNS = {
  name: { property: 'name', kind: 'string', nullable: false, length: 5 },
  note: { property: 'note', kind: 'string', nullable: true },
  age: { property: 'age', kind: 'int', nullable: true },
  key: { property: 'key', kind: 'uuid', nullable: false },
  data: { property: 'data', kind: 'json', nullable: false },
} as const satisfies Record<string, Column>;
const TABLE: Columns = {
  name: 'things',
  columns: new Map(Object.entries(COLUMNS)),
  relations: new Set(['owner']),
};

const ALWAYS: Condition = { kind: 'constant', value: true };
const NEVER: Condition = { kind: 'constant', value: false };
const subject = (name: keyof typeof COLUMNS) => ({ column: COLUMNS[name] });
const equals = (name: keyof typeof COLUMNS, value: unknown): Condition => ({
  kind: 'compare',
  subject: subject(name),
  op: '=',
  value,
});

describe('compileWhere', () => {
  it('matches all by no conditions, and none by no sets of them', () => {
    expect(compileWhere(TABLE)).toEqual(ALWAYS);
    expect(compileWhere(TABLE, {})).toEqual(ALWAYS);
    expect(compileWhere(TABLE, [])).toEqual(NEVER);
  });

  it('joins the columns of a set by and, the sets by or, and leaves single ones alone', () => {
    const a = equals('name', 'a');
    const b = equals('age', 1);
    expect(compileWhere(TABLE, { name: 'a' })).toEqual(a);
    expect(compileWhere(TABLE, { name: 'a', age: 1 })).toEqual({ kind: 'and', parts: [a, b] });
    expect(compileWhere(TABLE, [{ name: 'a' }, { age: 1 }])).toEqual({ kind: 'or', parts: [a, b] });
  });

  it.each<[string, unknown, Condition]>([
    ['a value', 1, equals('age', 1)],
    ['Equal', Equal(1), equals('age', 1)],
    ['null', null, { kind: 'null', subject: subject('age') }],
    ['IsNull', IsNull(), { kind: 'null', subject: subject('age') }],
    ['Not', Not(1), { kind: 'not', part: equals('age', 1) }],
    ['Not Not', Not(Not(1)), { kind: 'not', part: { kind: 'not', part: equals('age', 1) } }],
    ['In', In([1, 2]), { kind: 'in', subject: subject('age'), values: [1, 2] }],
    ['In of no values', In([]), NEVER],
    ['Not In of no values', Not(In([])), ALWAYS],
    ['And', And(Equal(1), Equal(2)), { kind: 'and', parts: [equals('age', 1), equals('age', 2)] }],
    [
      'Or',
      Or(Equal(1), IsNull()),
      { kind: 'or', parts: [equals('age', 1), { kind: 'null', subject: subject('age') }] },
    ],
    ['And with what never holds', And(Equal(1), In([])), NEVER],
    ['Or with what always holds', Or(Equal(1), Not(In([]))), ALWAYS],
    ['a parameter', param('age'), equals('age', param('age'))],
  ])('compiles %s', (_name, age, expected) => {
    expect(compileWhere(TABLE, { age })).toEqual(expected);
  });

  it('compiles Between to two comparisons', () => {
    expect(compileWhere(TABLE, { age: Between(1, 2) })).toEqual({
      kind: 'and',
      parts: [
        { kind: 'compare', subject: subject('age'), op: '>=', value: 1 },
        { kind: 'compare', subject: subject('age'), op: '<=', value: 2 },
      ],
    });
  });

  it('never holds for what a column without null cannot hold', () => {
    for (const key of ['no uuid', Equal('no uuid'), In(['no uuid']), LessThan('no uuid')]) {
      expect(compileWhere(TABLE, { key })).toEqual(NEVER);
    }
    expect(compileWhere(TABLE, { name: 'longer' })).toEqual(NEVER);
    expect(compileWhere(TABLE, { key: Not('no uuid') })).toEqual(ALWAYS);
  });

  it('is unknown for null where a column with null cannot hold the value', () => {
    const unknownForNull = { kind: 'and', parts: [{ kind: 'null', subject: subject('note') }, equals('note', null)] };
    expect(compileWhere(TABLE, { note: 'a\0' })).toEqual(unknownForNull);
    expect(compileWhere(TABLE, { note: Not(In(['a\0', 'b\0'])) })).toEqual({ kind: 'not', part: unknownForNull });
  });

  it('leaves out of a list what the column cannot hold', () => {
    expect(compileWhere(TABLE, { note: In(['a', 'b\0', 'c']) })).toEqual({
      kind: 'in',
      subject: subject('note'),
      values: ['a', 'c'],
    });
    expect(compileWhere(TABLE, { note: In(['a', 'b\0']) })).toEqual(equals('note', 'a'));
  });

  it('takes a parameter for a list, and inside JSON', () => {
    const list = { kind: 'in', subject: subject('age'), values: param('ages') };
    expect(compileWhere(TABLE, { age: In(param('ages')) })).toEqual(list);
    const inside = { column: COLUMNS.data, path: ['a'] };
    const expected = { kind: 'compare', subject: inside, op: '=', value: param('a') };
    expect(compileWhere(TABLE, { data: JsonPath(['a'], param('a')) })).toEqual(expected);
  });

  it('compiles a JSON path, and a path inside a path', () => {
    const expected = { kind: 'compare', subject: { ...subject('data'), path: ['a', 0] }, op: '>', value: 1 };
    expect(compileWhere(TABLE, { data: JsonPath(['a', 0], MoreThan(1)) })).toEqual(expected);
    expect(compileWhere(TABLE, { data: JsonPath(['a'], JsonPath([0], MoreThan(1))) })).toEqual(expected);
  });

  it('is not misled by names that every object has', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(() => compileWhere(TABLE, Object.fromEntries([[name, 'a']]))).toThrow(SessionValidationError);
    }
  });

  it.each<[string, unknown]>([
    ['name', Raw('1')],
    ['name', ILike('a')],
    ['owner', { id: 1 }],
    ['data', {}],
    ['data', In([{}])],
    ['data', MoreThan(1)],
  ])('refuses what no adapter runs, naming it: %s, %o', (name, value) => {
    expect(() => compileWhere(TABLE, { [name]: value })).toThrow(UnsupportedQueryError);
    expect(() => compileWhere(TABLE, { [name]: value })).toThrow(`"${name}"`);
  });

  it.each<[string, unknown]>([
    ['nope', 1],
    ['name', undefined],
    ['name', 1],
    ['name', In('a' as never)],
    ['age', Like('1')],
    ['age', In([Equal(1)])],
    ['name', JsonPath(['a'], 1)],
    ['data', JsonPath(['a"'], 1)],
    ['data', JsonPath(['\ud800'], 1)],
    ['data', JsonPath(['a'], {})],
  ])('throws a SessionValidationError naming the column: %s, %o', (name, value) => {
    expect(() => compileWhere(TABLE, { [name]: value })).toThrow(SessionValidationError);
    expect(() => compileWhere(TABLE, { [name]: value })).toThrow(name);
  });
});

describe('all', () => {
  it('drops what always holds, and never holds where one part never does', () => {
    const a = equals('name', 'a');
    expect(all([])).toEqual(ALWAYS);
    expect(all([ALWAYS, a])).toEqual(a);
    expect(all([a, NEVER])).toEqual(NEVER);
  });
});

describe('columnOf', () => {
  it('finds a column, and lists those that there are where it finds none', () => {
    expect(columnOf(TABLE, 'age')).toBe(COLUMNS.age);
    expect(() => columnOf(TABLE, 'nope')).toThrow('name, note, age, key, data');
  });
});
