import {
  comparable,
  type Comparison,
  type Condition,
  type GivenList,
  givenList,
  isMixed,
  type Subject,
} from '../query/conditions.js';
import { type JsonKey, Param } from '../port/operators.js';
import type { GivenKeys, KeyChanges } from '../query/json-keys.js';
import { canonicalPattern, IMPOSSIBLE } from '../query/values.js';
import { changedKeys } from './json-keys.js';
import { likeMatcher } from './like-matcher.js';
import { compareStored } from './ordering.js';
import { type MemoryColumn, encoded, type StoredRow } from './stored-row.js';

/** Undefined is SQL's unknown: the result of a comparison with null. */
type Truth = boolean | undefined;

/** Tests whether a row meets a condition, given the parameters of a run. */
export type Predicate = (row: StoredRow, params: Params) => Truth;

/** The parameters of a run, by slot, in the form that rows store. */
export type Params = readonly unknown[];

/** A parameter of a query, and its conversion to the stored form. */
export interface ParamSlot {
  readonly param: string;
  readonly convert: (given: unknown) => unknown;
  /** What it is compared with. A path and a predicate that compare the same subject share the slot. */
  readonly subject?: Subject<MemoryColumn>;
}

/** Compiles a condition into a function of a row. Each parameter gets a slot. */
export function predicateOf(condition: Condition<MemoryColumn>, slots: ParamSlot[]): Predicate {
  switch (condition.kind) {
    case 'constant':
      return () => condition.value;
    case 'not': {
      const part = predicateOf(condition.part, slots);
      return (row, params) => not(part(row, params));
    }
    case 'and':
      return some(
        condition.parts.map((part) => predicateOf(part, slots)),
        false,
      );
    case 'or':
      return some(
        condition.parts.map((part) => predicateOf(part, slots)),
        true,
      );
    case 'null': {
      const read = reader(condition.subject);
      return (row) => read(row) === null;
    }
    case 'compare':
      return comparison(condition.subject, condition.op, condition.value, slots);
    case 'in':
      return membership(condition.subject, condition.values, slots);
    case 'like':
      return like(condition.subject, condition.pattern, slots);
    case 'within': {
      const { column, keys, bytes } = condition;
      const read = keysReader(keys, slots);
      const changed = (value: unknown, params: Params): string => changedKeys(column, read(params), value) as string;
      return ({ values }, params) => Buffer.byteLength(changed(values[column.index], params)) <= bytes;
    }
  }
}

function not(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth;
}

/** The first false decides `and`, the first true decides `or`; unknown if none decides and one is unknown. */
function some(parts: readonly Predicate[], decides: boolean): Predicate {
  return (row, params) => {
    let result: Truth = !decides;
    for (const part of parts) {
      const truth = part(row, params);
      if (truth === decides) return decides;
      if (truth === undefined) result = undefined;
    }
    return result;
  };
}

function comparison(subject: Subject<MemoryColumn>, op: Comparison, value: unknown, slots: ParamSlot[]): Predicate {
  const read = reader(subject);
  const operand = operandReader(subject, value, slots);
  const holds = COMPARE[op];
  return (row, params) => {
    const left = read(row);
    const right = operand(params);
    if (left === null || right === null) return undefined;
    // Inside JSON, a value of another type is simply unequal.
    if (subject.path && typeof left !== typeof right) return false;
    return holds(compareStored(left, right));
  };
}

function membership(subject: Subject<MemoryColumn>, values: readonly unknown[] | Param, slots: ParamSlot[]): Predicate {
  if (isMixed(values)) {
    const parts = values.map((value) => comparison(subject, '=', value, slots));
    return some(parts, true);
  }
  const read = reader(subject);
  const list = listReader(subject, values, slots);
  return (row, params) => {
    const { isEmpty, values: set } = list(params);
    if (isEmpty) return false;
    const value = read(row);
    if (value === null) return undefined;
    return isIn(set, value) || (set.has(null) ? undefined : false);
  };
}

/** Whether a value is in a set. Bytes are objects, so they are compared one by one. */
function isIn(set: ReadonlySet<unknown>, value: unknown): boolean {
  if (typeof value !== 'object') return set.has(value);
  return [...set].some((other) => typeof other === 'object' && compareStored(value, other) === 0);
}

const COMPARE: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

function like(subject: Subject<MemoryColumn>, pattern: unknown, slots: ParamSlot[]): Predicate {
  const read = reader(subject);
  const convert = (given: unknown): Matches | null => {
    const text = canonicalPattern(subject.column, given);
    return typeof text === 'string' ? likeMatcher(text) : null;
  };
  const matcher =
    pattern instanceof Param ? slotReader(slots, { param: pattern.name, convert }) : constantReader(convert(pattern));
  return (row, params) => {
    const text = read(row);
    const matches = matcher(params) as Matches | null;
    if (text === null || matches === null) return undefined;
    return typeof text === 'string' && matches(text);
  };
}

type Matches = (text: string) => boolean;

/** Reads the stored value of a column, or the scalar at a path inside its JSON; null if absent. */
export function reader({ column, path }: Subject<MemoryColumn>): (row: StoredRow) => unknown {
  if (!path) return (row) => row.values[column.index];
  return (row) => {
    const text = row.values[column.index];
    return typeof text === 'string' ? valueAt(JSON.parse(text), path) : null;
  };
}

/** The value at a place inside a document; null if absent. */
export function valueAt(document: unknown, path: readonly JsonKey[]): unknown {
  let value = document;
  for (const key of path) {
    const has = typeof key === 'number' ? Array.isArray(value) : isObject(value) && Object.hasOwn(value, key);
    value = has ? (value as Record<JsonKey, unknown>)[key] : undefined;
  }
  return value ?? null;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads the value to compare with: a constant of the query, or a parameter of the run. */
export function operandReader(
  subject: Subject<MemoryColumn>,
  value: unknown,
  slots: ParamSlot[],
): (params: Params) => unknown {
  if (value instanceof Param)
    return slotReader(slots, { param: value.name, convert: (given) => packParam(subject, given), subject });
  return constantReader(subject.path ? value : encoded(subject.column, value));
}

/** Distinct values to compare with. */
interface List {
  readonly isEmpty: boolean;
  readonly values: ReadonlySet<unknown>;
}

/** Reads a list without parameters, or one that is itself a parameter. */
export function listReader(
  subject: Subject<MemoryColumn>,
  values: readonly unknown[] | Param,
  slots: ParamSlot[],
): (params: Params) => List {
  const { column, path } = subject;
  const listOf = ({ isEmpty, values: stored }: GivenList): List => ({
    isEmpty,
    values: new Set(path ? stored : stored.map((value) => encoded(column, value))),
  });
  if (values instanceof Param) {
    const convert = (given: unknown): List => listOf(givenList(subject, given));
    return slotReader(slots, { param: values.name, convert }) as (params: Params) => List;
  }
  const list = listOf({ isEmpty: false, values });
  return () => list;
}

export function slotReader(slots: ParamSlot[], slot: ParamSlot): (params: Params) => unknown {
  const same = slots.findIndex(({ param, subject }) => subject && subject === slot.subject && param === slot.param);
  const index = same >= 0 ? same : slots.push(slot) - 1;
  return (params) => params[index];
}

/** Reads the key changes of a run. */
export function keysReader({ param, read }: GivenKeys, slots: ParamSlot[]): (params: Params) => KeyChanges {
  if (param !== undefined) return slotReader(slots, { param, convert: read }) as (params: Params) => KeyChanges;
  const known = read();
  return () => known;
}

function constantReader(constant: unknown): () => unknown {
  return () => constant;
}

/**
 * A parameter's value as rows store it. A value that the column cannot hold becomes null, which equals nothing, or
 * inside JSON a value of no JSON type.
 */
function packParam(subject: Subject<MemoryColumn>, given: unknown): unknown {
  const value = comparable(subject, given);
  if (subject.path) return value;
  return value === IMPOSSIBLE ? null : encoded(subject.column, value);
}
