import { type Comparison, type Condition, isMixed } from '../query/conditions.js';
import { identity, type MemoryTable } from './memory-table.js';
import type { MemoryColumn, StoredRow } from './stored-row.js';
import { listReader, operandReader, type Params, type ParamSlot } from './predicate.js';
import type { Bound } from './sorted-rows.js';

/** A way to find the rows that may meet a condition: an index if possible, else the whole table. */
export interface AccessPath {
  /** The rows, including all that meet the condition, each once. */
  rows(params: Params): Iterable<StoredRow>;
  /** Finds the only row, if there can be at most one. */
  readonly row?: (params: Params) => StoredRow | undefined;
  /** Whether every row meets the condition. */
  readonly isExact?: boolean;
  /** The column by which they are sorted in ascending order. */
  readonly sortedBy?: MemoryColumn | undefined;
}

type Operand = (params: Params) => unknown;

/** What a conjunction says about one column. */
interface Restriction {
  /** The column equals one of these values, or this one. */
  equals?: { readonly values: (params: Params) => Iterable<unknown>; readonly one?: Operand };
  from?: { operand: Operand; inclusive: boolean };
  to?: { operand: Operand; inclusive: boolean };
}

/** The path with the fewest rows to check: a unique key, an equal value, a range, or the whole table. */
export function accessPath(table: MemoryTable, condition: Condition<MemoryColumn>, slots: ParamSlot[]): AccessPath {
  return indexPath(table, condition, slots) ?? { rows: () => table.rows() };
}

function indexPath(table: MemoryTable, condition: Condition<MemoryColumn>, slots: ParamSlot[]): AccessPath | undefined {
  if (condition.kind === 'or') return unionPath(table, condition.parts, slots);
  const parts = condition.kind === 'and' ? condition.parts : [condition];
  const restrictions = restrictionsOf(parts, slots);
  const direct = keyPath(table, restrictions) ?? sortedPath(table, restrictions);
  if (direct) return { ...direct, isExact: condition.kind === 'compare' && direct.row !== undefined };
  for (const part of parts) {
    const path = part.kind === 'or' ? unionPath(table, part.parts, slots) : undefined;
    if (path) return path;
  }
  return undefined;
}

/** The union of all paths of a disjunction, if each has an index. */
function unionPath(
  table: MemoryTable,
  parts: readonly Condition<MemoryColumn>[],
  slots: ParamSlot[],
): AccessPath | undefined {
  const paths: AccessPath[] = [];
  for (const part of parts) {
    const path = indexPath(table, part, slots);
    if (!path) return undefined;
    paths.push(path);
  }
  return {
    rows(params) {
      const rows = new Set<StoredRow>();
      for (const path of paths) for (const row of path.rows(params)) rows.add(row);
      return rows;
    },
  };
}

function restrictionsOf(parts: readonly Condition<MemoryColumn>[], slots: ParamSlot[]): Map<MemoryColumn, Restriction> {
  const restrictions = new Map<MemoryColumn, Restriction>();
  for (const part of parts) {
    if ((part.kind !== 'compare' && part.kind !== 'in') || part.subject.path) continue;
    const { column } = part.subject;
    const restriction = restrictions.get(column) ?? {};
    restrictions.set(column, restriction);
    if (part.kind === 'in') restriction.equals ??= { values: listed(part, slots) };
    else restrict(restriction, part.op, operandReader(part.subject, part.value, slots));
  }
  return restrictions;
}

function listed(
  { subject, values }: Extract<Condition<MemoryColumn>, { kind: 'in' }>,
  slots: ParamSlot[],
): (params: Params) => Iterable<unknown> {
  if (isMixed(values)) {
    const operands = values.map((value) => operandReader(subject, value, slots));
    return (params) => new Set(operands.map((operand) => operand(params)));
  }
  const list = listReader(subject, values, slots);
  return (params) => list(params).values;
}

function restrict(restriction: Restriction, op: Comparison, operand: Operand): void {
  if (op === '=') restriction.equals = { values: (params) => [operand(params)], one: operand };
  else if (op === '<' || op === '<=') restriction.to ??= { operand, inclusive: op === '<=' };
  else restriction.from ??= { operand, inclusive: op === '>=' };
}

/** By the primary key, or by a unique index if every column has a value. */
function keyPath(table: MemoryTable, restrictions: ReadonlyMap<MemoryColumn, Restriction>): AccessPath | undefined {
  for (const [key, columns] of table.keys.entries()) {
    const equals = columns.map((column) => restrictions.get(column)?.equals);
    const [first] = equals;
    const operands = equals.flatMap((one) => one?.one ?? []);
    const [operand] = operands;
    if (operand && operands.length === columns.length) {
      const valueOf: Operand =
        operands.length === 1 ? operand : (params) => identity(operands.map((one) => one(params)));
      const row = (params: Params): StoredRow | undefined => table.find(key, valueOf(params));
      return { row, rows: (params) => found([row(params)]) };
    }
    if (columns.length === 1 && first)
      return { rows: (params) => found(Array.from(first.values(params), (value) => table.find(key, value))) };
  }
  return undefined;
}

function found(rows: readonly (StoredRow | undefined)[]): StoredRow[] {
  return rows.filter((row) => row !== undefined);
}

/** By a sorted index: equal values first, then ranges with an upper bound, then ranges without one. */
function sortedPath(table: MemoryTable, restrictions: ReadonlyMap<MemoryColumn, Restriction>): AccessPath | undefined {
  const usable = [...restrictions].filter(([column]) => table.sorted(column));
  const [column, restriction] =
    usable.find(([, { equals }]) => equals) ??
    usable.find(([, { to }]) => to) ??
    usable.find(([, { from }]) => from) ??
    [];
  if (!column || !restriction) return undefined;
  const sorted = table.sorted(column)!;
  const { equals, from, to } = restriction;
  if (equals) {
    return {
      *rows(params) {
        for (const value of equals.values(params)) {
          if (value !== null) yield* sorted.range({ value, inclusive: true }, { value, inclusive: true });
        }
      },
    };
  }
  const bound = (end: Restriction['from'], params: Params): Bound | undefined =>
    end && { value: end.operand(params), inclusive: end.inclusive };
  return { rows: (params) => sorted.range(bound(from, params), bound(to, params)), sortedBy: column };
}
