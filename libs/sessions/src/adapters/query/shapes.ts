import { And, Equal, FindOperator, In, LessThan, LessThanOrEqual, MoreThan, MoreThanOrEqual, Not, Or } from 'typeorm';
import {
  JsonKeys,
  JsonPathOperator,
  JsonWithin,
  ColumnRef,
  KeysParam,
  Later,
  later,
  Param,
  param,
} from '../port/operators.js';
import { FURTHER } from './given.js';
import { AllOf, type Conditions, isAnyOf, type Row, type Where } from '../port/query.js';

/** The assignments and conditions of an update, with parameters instead of values. */
export interface Shape {
  /** Equal for updates that differ only in their values. */
  readonly key: string;
  readonly set: Row | undefined;
  readonly where: Conditions;
  /** The values, by parameter name. */
  readonly params: Row;
}

/** The operators that compare with a single value. */
const COMPARISONS: Readonly<Record<string, (value: unknown) => FindOperator<unknown>>> = {
  equal: Equal,
  lessThan: LessThan,
  lessThanOrEqual: LessThanOrEqual,
  moreThan: MoreThan,
  moreThanOrEqual: MoreThanOrEqual,
};

const LISTS: Readonly<Record<string, (...parts: FindOperator<unknown>[]) => FindOperator<unknown>>> = {
  and: And,
  or: Or,
};

/** The shape of an update; `undefined` if the text of its statement depends on more than the shape. */
export function shapeOf(set: Row | undefined, where: Conditions): Shape | undefined {
  const walk = new Walk();
  try {
    const [assigned, conditions] = [set && walk.set(set), walk.where(where)];
    return { set: assigned, where: conditions, key: walk.key, params: walk.params };
  } catch (error) {
    if (error === SHAPELESS) return undefined;
    throw error;
  }
}

const SHAPELESS = new Error('A condition has no shape of its own.');

/** Walks through a query and replaces its values with parameters. */
class Walk {
  key = '';
  readonly params: Row = {};

  set(row: Row): Row {
    const set: Row = {};
    for (const name of Object.keys(row)) {
      const value = row[name];
      if (value === undefined) continue;
      this.key += `${name}=`;
      put(set, name, this.#assigned(name, value));
    }
    return set;
  }

  where(conditions: Conditions): Conditions {
    if (isAnyOf(conditions)) return this.#list('|', conditions);
    if (conditions instanceof AllOf) return new AllOf(this.#list('&', conditions.parts));
    const where: Where = {};
    for (const name of Object.keys(conditions)) {
      this.key += `${name}:`;
      put(where, name, this.#compared(name, conditions[name]));
    }
    return where;
  }

  #list(separator: string, parts: readonly Conditions[]): Conditions[] {
    this.key += '(';
    const list = parts.map((part) => {
      this.key += separator;
      return this.where(part);
    });
    this.key += ')';
    return list;
  }

  #assigned(name: string, value: unknown): unknown {
    if (value instanceof Param) throw SHAPELESS;
    if (value instanceof JsonKeys) return new JsonKeys(this.#keys(name, value.changes));
    if (value instanceof ColumnRef) {
      if (value.path) throw SHAPELESS;
      this.key += `${value.name},`;
      return value;
    }
    if (!(value instanceof Later)) return this.#param(name, value);
    this.key += '>';
    return later(this.#param(name, value.time));
  }

  #compared(name: string, value: unknown): unknown {
    if (value === null || !(value instanceof FindOperator))
      return value === null ? this.#null() : this.#param(name, value);
    return this.#operator(name, value);
  }

  #operator(name: string, operator: FindOperator<unknown>): FindOperator<unknown> {
    if (operator instanceof JsonPathOperator) throw SHAPELESS;
    if (operator instanceof JsonWithin) {
      const { changes, bytes } = operator;
      this.key += `within ${bytes} `;
      return new JsonWithin(this.#keys(name, changes), bytes);
    }
    const { type, child } = operator;
    this.key += type;
    if (type === 'isNull') return operator;
    if (type === 'not') return Not(child ? this.#operator(name, child) : this.#compared(name, operator.value));
    if (child) throw SHAPELESS;
    const { value } = operator;
    const compare = COMPARISONS[type];
    if (compare) return compare(this.#param(name, value));
    if (type === 'in' && Array.isArray(value)) return In(this.#param(name, value));
    const join = LISTS[type];
    if (!join || !Array.isArray(value)) throw SHAPELESS;
    this.key += '(';
    const parts = value.map((part: unknown) => this.#operator(name, isOperator(part)));
    this.key += ')';
    return join(...parts);
  }

  #null(): null {
    this.key += 'null,';
    return null;
  }

  /** For keys, only their number matters. */
  #keys(column: string, changes: JsonKeys['changes']): KeysParam {
    if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) throw SHAPELESS;
    const values = Object.values(changes);
    const removed = values.filter((value) => value === undefined).length;
    const set = values.length - removed;
    this.key += `${set} ${removed} `;
    // A copy, because the caller's object may have other values in the next call.
    return new KeysParam(this.#param(column, { ...changes }).name, set, removed);
  }

  /** Named after its column, so that errors name that. */
  #param(column: string, value: unknown): Param & readonly never[] {
    if (value === undefined || value instanceof Param) throw SHAPELESS;
    this.key += '?,';
    let name = column;
    for (let i = 2; Object.hasOwn(this.params, name); i++) name = `${column}${FURTHER}${i}`;
    put(this.params, name, value);
    return param(name);
  }
}

function isOperator(part: unknown): FindOperator<unknown> {
  if (part instanceof FindOperator) return part;
  throw SHAPELESS;
}

/** Sets a property of any name. An object without a prototype would allow that, too, but takes V8 twice as long. */
function put(row: Row, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(row, name, { value, enumerable: true });
  else row[name] = value;
}
