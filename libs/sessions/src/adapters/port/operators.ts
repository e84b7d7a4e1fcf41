import { FindOperator } from 'typeorm';
import type { ColumnKind } from './columns.js';

/** A place in a prepared query that `execute` fills in. */
export class Param {
  constructor(readonly name: string) {}
}

/**
 * Stands for a value in the options of `prepare`, or for the list of an `In`. Give the value by name to `execute`.
 *
 * @example
 * ```ts
 * const byOwners = adapter.prepare('all', Sessions.entity, { where: { userId: In(param('owners')) } });
 * await adapter.execute(byOwners, { owners: ['u1', 'u2'] });
 * ```
 */
export function param(name: string): Param & readonly never[] {
  // TypeORM's In accepts only lists.
  return new Param(name) as Param & readonly never[];
}

/** A column of the same row, or a place inside its JSON. */
export class ColumnRef {
  constructor(
    readonly name: string,
    readonly path?: readonly JsonKey[],
  ) {}
}

/**
 * Stands in the `set` of an update for the value that another column of the row, of the same kind and no enum, had before.
 * That column may get a new value in the same update, but not from a third one (`UnsupportedQueryError`). In the `select` of
 * a query, it is a column under another name or, with a path, the value inside a JSON column: null if that is absent.
 *
 * @example
 * ```ts
 * const rename = adapter.prepare('updateAll', User, {
 *   set: { formerName: column('name'), name: param('name') },
 *   where: { id: param('id') },
 * });
 * const themes = adapter.prepare('all', User, { select: { id: true, theme: column('settings', ['theme']) } });
 * ```
 */
export function column(name: string, path?: readonly JsonKey[]): ColumnRef {
  return new ColumnRef(name, path);
}

/** Changes of JSON keys passed to `execute`: how many keys are set, and how many removed. */
export class KeysParam extends Param {
  constructor(
    name: string,
    readonly set: number,
    readonly removed: number,
  ) {
    super(name);
  }
}

/** Keys of a JSON object and their new values; `undefined` removes a key. */
type Keys = Readonly<Record<string, unknown>> | KeysParam;

/** A JSON object in which an update changes some keys. */
export class JsonKeys {
  constructor(readonly changes: Keys) {}
}

/**
 * Stands in the `set` of an update for the JSON object that the column had before, with these keys replaced whole, and
 * without those that are `undefined` here. The others stay as they are. A value that is no object counts as an empty one.
 *
 * @example
 * ```ts
 * const darken = adapter.prepare('updateAll', User, {
 *   set: { settings: jsonKeys({ theme: 'dark', contrast: undefined }) },
 *   where: { id: param('id') },
 * });
 * ```
 */
export function jsonKeys(changes: Readonly<Record<string, unknown>>): JsonKeys {
  return new JsonKeys(changes);
}

/** The operator of {@link jsonWithin}. */
export class JsonWithin extends FindOperator<unknown> {
  constructor(
    readonly changes: Keys,
    readonly bytes: number,
  ) {
    super('raw', changes);
  }
}

/**
 * A find operator for JSON columns whose text has at most this many bytes once {@link jsonKeys} has changed these keys. Each
 * database has its own text for the same JSON; PostgreSQL's has spaces.
 *
 * @example
 * ```ts
 * const settings = { theme: 'dark' };
 * const darken = adapter.prepare('updateAll', User, {
 *   set: { settings: jsonKeys(settings) },
 *   where: { id: param('id'), settings: jsonWithin(settings, 1000) },
 * });
 * ```
 */
export function jsonWithin(changes: Readonly<Record<string, unknown>>, bytes: number): FindOperator<unknown> {
  return new JsonWithin(changes, bytes);
}

/** A time, or a later one. */
export class Later {
  constructor(readonly time: Date | Param) {}
}

/**
 * Stands in the `set` of an update for this time, or for a millisecond after the one that the column had before, whichever
 * is later. So two changes of a row never have the same time, whatever the clocks say.
 *
 * @example
 * ```ts
 * const rename = adapter.prepare('updateAll', User, {
 *   set: { name: param('name'), changedAt: later(new Date()) },
 *   where: { id: param('id') },
 * });
 * ```
 */
export function later(time: Date | Param): Later {
  return new Later(time);
}

/** A value in the form in which columns of its kind store it. */
export class Stored {
  constructor(
    readonly value: unknown,
    readonly kind: ColumnKind,
  ) {}
}

/**
 * Stands in a row or in the `set` of an update for a value that has already been through the column's transformer, in the form
 * of this kind of column, so that the transformer does not run again.
 *
 * @example
 * ```ts
 * await adapter.insert(User, { id: 'u1', name: stored('Ada', 'string') });
 * ```
 */
export function stored(value: unknown, kind: ColumnKind): Stored {
  return new Stored(value, kind);
}

export type JsonKey = string | number;

/** The operator of {@link JsonPath}. TypeORM's own query builder does not know it. */
export class JsonPathOperator extends FindOperator<unknown> {
  constructor(
    readonly path: readonly JsonKey[],
    readonly operand: unknown,
  ) {
    super('raw', operand);
  }
}

/**
 * A find operator that looks inside a JSON column: the text, number or boolean at `path` equals `value`, or satisfies an
 * operator. An absent path and a JSON null are null. A value of another type is unequal.
 *
 * @example
 * ```ts
 * await sessions.list({ data: JsonPath(['device', 'name'], 'iPhone') });
 * await sessions.list({ data: JsonPath(['photos', 0, 'size'], MoreThan(100)) });
 * ```
 */
export function JsonPath(path: readonly JsonKey[], value: unknown): FindOperator<unknown> {
  return new JsonPathOperator(path, value);
}
