import { type FindOperator, InstanceChecker } from 'typeorm';
import { SessionValidationError, UnsupportedQueryError } from '../../errors/errors.js';
import { NO_CONDITIONS, thereAre, unlike } from '../../errors/messages.js';
import { isRecord } from '../../errors/option-types.js';
import { type Column, type Columns, isText } from '../port/columns.js';
import { type JsonKey, JsonPathOperator, JsonWithin, Param } from '../port/operators.js';
import { AllOf, type Conditions, isAnyOf, type Where } from '../port/query.js';
import { type GivenKeys, givenKeys } from './json-keys.js';
import { canonicalPattern, hasCharacters, IMPOSSIBLE, toStored, ValueError } from './values.js';

/** The left side of a comparison: a column, or a place inside a JSON column. */
export interface Subject<C extends Column = Column> {
  readonly column: C;
  readonly path?: readonly JsonKey[] | undefined;
}

export type Comparison = '=' | '<' | '<=' | '>' | '>=';

/**
 * Find options as a small tree that every adapter evaluates alike, with SQL's three-valued logic: a comparison with
 * null is unknown, and so is its negation.
 */
export type Condition<C extends Column = Column> =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition<C>[] }
  | { readonly kind: 'not'; readonly part: Condition<C> }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'null'; readonly subject: Subject<C> }
  | { readonly kind: 'compare'; readonly subject: Subject<C>; readonly op: Comparison; readonly value: unknown }
  | { readonly kind: 'in'; readonly subject: Subject<C>; readonly values: readonly unknown[] | Param }
  | { readonly kind: 'like'; readonly subject: Subject<C>; readonly pattern: unknown }
  | { readonly kind: 'within'; readonly column: C; readonly keys: GivenKeys; readonly bytes: number };

const NEVER = { kind: 'constant', value: false } as const;
const ALWAYS = { kind: 'constant', value: true } as const;

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  equal: '=',
  lessThan: '<',
  lessThanOrEqual: '<=',
  moreThan: '>',
  moreThanOrEqual: '>=',
};

/**
 * Compiles find conditions.
 *
 * @throws UnsupportedQueryError for an operator that no adapter supports
 * @throws SessionValidationError for an unknown column or a value of another type
 */
export function compileWhere<C extends Column>(table: Columns<C>, where: Conditions = {}): Condition<C> {
  const compiled = (part: Conditions): Condition<C> => compileWhere(table, part);
  if (isAnyOf(where)) return any(where.map(compiled));
  if (where instanceof AllOf) return all(where.parts.map(compiled));
  if (!isWhere(where)) throw new SessionValidationError(table.name, { where: unlike(NO_CONDITIONS, where) });
  return all(Object.entries(where).map(([name, value]) => compileField(table, name, value)));
}

/**
 * Whether a value is an object of conditions. What has none must be an object without any, since that means "all rows": not
 * a promise or a Map, nor one whose values are all under symbols, or in the getters of its class.
 */
export function isWhere(value: unknown): value is Where {
  if (!isRecord(value) || InstanceChecker.isFindOperator(value)) return false;
  return Object.keys(value).length > 0 || (Reflect.ownKeys(value).length === 0 && !hasGetters(value));
}

function hasGetters(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  // The last one is that of all objects, which has `__proto__`.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return false;
  return (
    Object.values(Object.getOwnPropertyDescriptors(prototype)).some((property) => 'get' in property) ||
    hasGetters(prototype)
  );
}

function compileField<C extends Column>(table: Columns<C>, name: string, value: unknown): Condition<C> {
  const column = columnOf(table, name);
  try {
    return compileValue(table, { column }, value);
  } catch (error) {
    if (error instanceof ValueError) throw new SessionValidationError(table.name, { [name]: error.message });
    throw error;
  }
}

/** The column of a property. @throws SessionValidationError, or UnsupportedQueryError for a relation */
export function columnOf<C extends Column>(table: Columns<C>, name: string): C {
  const column = table.columns.get(name);
  if (column) return column;
  if (table.relations.has(name)) {
    throw new UnsupportedQueryError(
      `Table "${table.name}": "${name}" is a relation, and joins are not run here; filter by its column, or use query().toQueryBuilder().`,
    );
  }
  const shown = [...table.columns.values()].filter(({ hidden }) => !hidden);
  const names = shown.map(({ property }) => property);
  throw new SessionValidationError(table.name, { [name]: `is no column ${thereAre(names)}` });
}

function compileValue<C extends Column>(table: Columns<C>, subject: Subject<C>, value: unknown): Condition<C> {
  if (value === null) return { kind: 'null', subject };
  if (InstanceChecker.isFindOperator(value)) return compileOperator(table, subject, value);
  return compare(table, subject, '=', value);
}

function compileOperator<C extends Column>(
  table: Columns<C>,
  subject: Subject<C>,
  operator: FindOperator<unknown>,
): Condition<C> {
  const nested = (value: unknown): Condition<C> => compileValue(table, subject, value);
  if (operator instanceof JsonPathOperator) {
    if (subject.column.kind !== 'json') throw new ValueError('is no JSON column, so it has no path');
    checkPath(operator.path);
    return compileValue(
      table,
      { column: subject.column, path: [...(subject.path ?? []), ...operator.path] },
      operator.operand,
    );
  }
  if (operator instanceof JsonWithin) return within(table, subject, operator);
  const operand = operator.child ?? operator.value;
  const comparison = COMPARISONS[operator.type];
  if (comparison) return operator.child ? nested(operator.child) : compare(table, subject, comparison, operand);
  switch (operator.type) {
    case 'isNull':
      return { kind: 'null', subject };
    case 'not':
      return not(nested(operand));
    case 'and':
      return all(list(operand).map(nested));
    case 'or':
      return any(list(operand).map(nested));
    case 'between': {
      const [low, high] = list(operand);
      return all([compare(table, subject, '>=', low), compare(table, subject, '<=', high)]);
    }
    case 'in':
      return oneOf(table, subject, operand);
    case 'like': {
      if (!isText(subject.column) && !subject.path) throw new ValueError('is no text column, so it has no pattern');
      const pattern = patternOf(subject, operand);
      return pattern === IMPOSSIBLE ? unequal(subject) : { kind: 'like', subject, pattern };
    }
    default:
      throw new UnsupportedQueryError(
        `Table "${table.name}": the operator "${operator.type}" on "${subject.column.property}" is not run here; use another one, or query().toQueryBuilder().`,
      );
  }
}

function within<C extends Column>(table: Columns<C>, { column, path }: Subject<C>, given: JsonWithin): Condition<C> {
  if (column.kind !== 'json' || path) throw new ValueError('is no JSON column, so it has no keys to be changed');
  return { kind: 'within', column, keys: givenKeys(table, column.property, given.changes), bytes: given.bytes };
}

function oneOf<C extends Column>(table: Columns<C>, subject: Subject<C>, given: unknown): Condition<C> {
  if (given instanceof Param) return { kind: 'in', subject, values: operandOf(table, subject, given) as Param };
  const values = list(given).map((value) => operandOf(table, subject, value));
  const possible = values.filter((value) => value !== IMPOSSIBLE);
  if (possible.length === 0) return values.length === 0 ? NEVER : unequal(subject);
  const equal = (value: unknown): Condition<C> => ({ kind: 'compare', subject, op: '=', value });
  if (possible.length === 1) return equal(possible[0]);
  return { kind: 'in', subject, values: possible };
}

function compare<C extends Column>(
  table: Columns<C>,
  subject: Subject<C>,
  op: Comparison,
  value: unknown,
): Condition<C> {
  const operand = operandOf(table, subject, value);
  return operand === IMPOSSIBLE ? unequal(subject) : { kind: 'compare', subject, op, value: operand };
}

/**
 * A comparison with a value that the column cannot hold: false for every value and, like any comparison, unknown for
 * null.
 */
function unequal<C extends Column>(subject: Subject<C>): Condition<C> {
  if (!subject.column.nullable && !subject.path) return NEVER;
  return all<C>([
    { kind: 'null', subject },
    { kind: 'compare', subject, op: '=', value: null },
  ]);
}

/** The pattern in the form that databases take; a parameter unchanged, since it is checked when it gets its value. */
function patternOf(subject: Subject, pattern: unknown): unknown {
  return pattern instanceof Param ? pattern : canonicalPattern(subject.column, pattern);
}

/** The operand in its stored form; a parameter unchanged, since it is converted when it gets its value. */
function operandOf(table: Columns, subject: Subject, value: unknown): unknown {
  if (subject.column.kind === 'json' && !subject.path) {
    throw new UnsupportedQueryError(
      `Table "${table.name}": the JSON column "${subject.column.property}" cannot be compared as a whole; use JsonPath([…], value).`,
    );
  }
  if (value instanceof Param) return value;
  if (InstanceChecker.isFindOperator(value)) throw new ValueError('takes no operator here');
  return comparable(subject, value);
}

/** A value in the form in which a subject is compared with it. @throws ValueError for a value of another type */
export function comparable({ column, path }: Subject, value: unknown): unknown {
  return path ? jsonScalar(column, value) : toStored(column, value);
}

/** A list given for a parameter. */
export interface GivenList {
  /** Whether the list has no values at all, so that even the comparison with null is not unknown. */
  readonly isEmpty: boolean;
  /** Its values that can occur, in the form in which the subject is compared with them. */
  readonly values: readonly unknown[];
}

/** @throws ValueError for anything but a list, and for values of another type */
export function givenList(subject: Subject, given: unknown): GivenList {
  const values = list(given).map((value) => comparable(subject, value));
  return { isEmpty: values.length === 0, values: values.filter((value) => value !== IMPOSSIBLE) };
}

/** Whether a list contains parameters. */
export function isMixed(values: readonly unknown[] | Param): values is readonly unknown[] {
  return !(values instanceof Param) && values.some((value) => value instanceof Param);
}

/**
 * Each database quotes the keys of a path differently, and some keys work in no common way (MariaDB finds no key like
 * "-a").
 */
export function checkPath(path: readonly JsonKey[]): void {
  const usable = (key: JsonKey): boolean =>
    typeof key === 'number'
      ? Number.isInteger(key) && key >= 0
      : typeof key === 'string' && key !== '' && !/^-|["\\\u0000-\u001f]/.test(key) && key.isWellFormed();
  if (!Array.isArray(path)) throw new ValueError("has a path that is no list of keys, such as ['device', 'name']");
  if (!path.every(usable))
    throw new ValueError(
      'has a path of other keys than indexes and text (without quotes, backslashes, control characters, and a hyphen at its start)',
    );
}

function jsonScalar(column: Column, value: unknown): unknown {
  if (value === null || typeof value === 'boolean' || Number.isFinite(value)) return value;
  if (typeof value === 'string') return hasCharacters(column, value) ? value : IMPOSSIBLE;
  throw new ValueError('can be compared by path with text, a number or a boolean');
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new ValueError('needs a list here');
}

/** Whether every row that meets a condition has null in a column. */
export function isNullOnly(column: Column, condition: Condition): boolean {
  if (condition.kind === 'and') return condition.parts.some((part) => isNullOnly(column, part));
  return condition.kind === 'null' && condition.subject.column === column && !condition.subject.path;
}

/** Whether no row that meets a condition has null in a column. */
export function isNeverNull(column: Column, condition: Condition): boolean {
  if (condition.kind === 'and') return condition.parts.some((part) => isNeverNull(column, part));
  const compares = condition.kind === 'compare' || condition.kind === 'in' || condition.kind === 'like';
  return compares && condition.subject.column === column && !condition.subject.path;
}

export function all<C extends Column>(parts: readonly Condition<C>[]): Condition<C> {
  const flat = parts.flatMap((part) => (part.kind === 'and' ? part.parts : [part]));
  const open = flat.filter((part) => part.kind !== 'constant' || !part.value);
  if (open.some((part) => part.kind === 'constant')) return NEVER;
  return open.length === 0 ? ALWAYS : open.length === 1 ? open[0]! : { kind: 'and', parts: open };
}

function any<C extends Column>(parts: readonly Condition<C>[]): Condition<C> {
  const open = parts.filter((part) => part.kind !== 'constant' || part.value);
  if (open.some((part) => part.kind === 'constant')) return ALWAYS;
  return open.length === 0 ? NEVER : open.length === 1 ? open[0]! : { kind: 'or', parts: open };
}

function not<C extends Column>(part: Condition<C>): Condition<C> {
  return part.kind === 'constant' ? (part.value ? NEVER : ALWAYS) : { kind: 'not', part };
}
