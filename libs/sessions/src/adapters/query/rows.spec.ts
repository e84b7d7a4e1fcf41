import { describe, expect, it } from 'vitest';
import { SessionValidationError } from '../../errors/errors.js';
import type { Column } from '../port/columns.js';
import type { Columns } from '../port/columns.js';
import { column, param } from '../port/operators.js';
import { ALL_TIMES } from '../../util/times.js';
import { assignmentsOf, storedRow } from './rows.js';
import { toStorable } from './storable.js';
import { ValueError } from './values.js';

const NAME: Column = { property: 'name', kind: 'string', nullable: false, length: 3 };
const KEY: Column = { property: 'key', kind: 'uuid', nullable: true };
const LEVEL: Column = { property: 'level', kind: 'enum', nullable: true, values: ['low', 'high'] };
const TABLE: Columns = {
  name: 'things',
  columns: new Map([NAME, KEY, LEVEL].map((column) => [column.property, column])),
  relations: new Set(['owner']),
};

function errorsOf(row: Record<string, unknown>): SessionValidationError['errors'] {
  try {
    storedRow(TABLE, row);
  } catch (error) {
    if (error instanceof SessionValidationError) return error.errors;
    throw error;
  }
  return {};
}

describe('a column that takes the value of another', () => {
  const exact: Column = { property: 'exact', kind: 'timestamp', nullable: true };
  const coarse: Column = { ...exact, property: 'coarse', times: { ...ALL_TIMES, stepMs: 1000 } };
  const counted: Column = { ...exact, property: 'counted', form: 'milliseconds' };
  const table: Columns = { ...TABLE, columns: new Map([exact, coarse, counted].map((one) => [one.property, one])) };

  it('holds all that the other can hold, in the same form', () => {
    expect(assignmentsOf(table, { exact: column('coarse') }).copies).toEqual(new Map([[exact, coarse]]));
    expect(() => assignmentsOf(table, { coarse: column('exact') })).toThrow(SessionValidationError);
    expect(() => assignmentsOf(table, { exact: column('counted') })).toThrow(SessionValidationError);
  });
});

describe('storedRow', () => {
  it('gives the stored values by column', () => {
    const stored = storedRow(TABLE, { name: 'abc', key: 'AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE', level: null });
    expect([...stored]).toEqual([
      [NAME, 'abc'],
      [KEY, 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'],
      [LEVEL, null],
    ]);
  });

  it('takes undefined as not given, whatever its name', () => {
    expect([...storedRow(TABLE, { name: undefined, unknown: undefined })]).toEqual([]);
  });

  it('leaves parameters as they are', () => {
    const value = param('name');
    expect(storedRow(TABLE, { name: value }).get(NAME)).toBe(value);
  });

  it('names every column whose value does not fit, and what it needs', () => {
    expect(errorsOf({ name: 'abcd', key: 'no uuid', level: 'none' })).toEqual({
      name: expect.stringContaining('more than 3 characters'),
      key: 'must be a UUID',
      level: 'must be one of low, high',
    });
    expect(errorsOf({ name: null, level: 5 })).toEqual({ name: 'must not be null', level: expect.any(String) });
  });

  it('names an unknown column, and says that a relation is one', () => {
    expect(Object.keys(errorsOf({ nope: 1 }))).toEqual(['nope']);
    expect(() => storedRow(TABLE, { owner: {} })).toThrow('"owner" is a relation');
  });
});

describe('toStorable', () => {
  it('is the stored value', () => {
    expect(toStorable(NAME, 'abc')).toBe('abc');
    expect(toStorable(KEY, null)).toBeNull();
  });

  it.each([
    ['null, where there is none', NAME, null],
    ['what the column can never hold', NAME, 'a\0'],
    ['another type', NAME, 5],
  ])('throws a ValueError for %s', (_name, column, value) => {
    expect(() => toStorable(column, value)).toThrow(ValueError);
  });
});
