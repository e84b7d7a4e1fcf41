import type { Comparison, Condition, Subject } from '../query/conditions.js';
import { Param } from '../port/operators.js';
import { type KeyChanges, toStorable } from '../query/rows.js';
import { canonicalCount, canonicalPattern, IMPOSSIBLE, toStored } from '../query/values.js';
import type { Dialect } from './dialects/dialect.js';
import type { SqlColumn } from './sql-table.js';

/** A bound value of a statement: known when the statement was prepared, or taken from the parameters of a run. */
export type Slot =
  { readonly constant: unknown } | { readonly param: string; readonly convert: (value: unknown) => unknown };

/** How conditions are written. */
interface Writing {
  /** Put before the name of a column: the alias of its table and a dot. Default: nothing. */
  readonly prefix?: string;
  /** The beginning of the parameters' names. Default: `p`. */
  readonly parameters?: string;
  /** Whether text that its collation takes for equal is equal enough. Default: false. */
  readonly collationEquality?: boolean | undefined;
}

/** Writes conditions as SQL and collects what they bind, under names that TypeORM turns into the driver's placeholders. */
export class SqlWriter {
  readonly slots: Record<string, Slot> = {};
  readonly #prefix: string;
  readonly #parameters: string;
  readonly #collationEquality: boolean;
  #count = 0;

  constructor(
    private readonly dialect: Dialect,
    { prefix = '', parameters = 'p', collationEquality = false }: Writing = {},
  ) {
    this.#prefix = prefix;
    this.#parameters = parameters;
    this.#collationEquality = collationEquality;
  }

  name(column: SqlColumn): string {
    return this.#prefix + column.sqlName;
  }

  /** A placeholder for a stored value of the column, or for a parameter that will be one. */
  value(column: SqlColumn, value: unknown): string {
    const slot: Slot =
      value instanceof Param
        ? { param: value.name, convert: (given) => column.dump(toStored(column, given)) }
        : { constant: column.dump(value) };
    return column.bind(this.add(slot));
  }

  /** A placeholder for a value that the column gets, and so must be able to hold. */
  assigned(column: SqlColumn, value: unknown): string {
    if (!(value instanceof Param)) return this.value(column, value);
    const convert = (given: unknown): unknown => column.dump(toStorable(column, given));
    return column.bind(this.add({ param: value.name, convert }));
  }

  /** The value of another column, for one that gets it. */
  copied(column: SqlColumn, source: SqlColumn): string {
    // Else PostgreSQL would take the time for one in the zone of the connection.
    return column.zoned === source.zoned ? this.name(source) : `${this.name(source)} AT TIME ZONE 'UTC'`;
  }

  /** A time that the column gets, or a millisecond after its own, whichever is later. */
  later(column: SqlColumn, time: unknown): string {
    return column.codec.later!(this.name(column), this.assigned(column, time));
  }

  /** The object of the column with other values of some keys, and without others. */
  changed(column: SqlColumn, changes: KeyChanges): string {
    return this.dialect.changeKeys(this.name(column), changes, this.bindConstant);
  }

  /** What the column is sorted and ranged by: text and the values of an enum by their code points. */
  sortable(column: SqlColumn): string {
    const sql = this.name(column);
    return column.kind === 'string' || column.kind === 'enum' ? this.dialect.byCodePoint(sql) : sql;
  }

  /** A placeholder for a number of rows. */
  rows(count: number | Param): string {
    return this.add(count instanceof Param ? { param: count.name, convert: canonicalCount } : { constant: count });
  }

  private add(slot: Slot): string {
    const key = `${this.#parameters}${this.#count++}`;
    this.slots[key] = slot;
    return `:${key}`;
  }

  write(condition: Condition<SqlColumn>): string {
    switch (condition.kind) {
      case 'and':
      case 'or':
        return `(${condition.parts.map((part) => this.write(part)).join(condition.kind === 'and' ? ' AND ' : ' OR ')})`;
      case 'not':
        return `NOT (${this.write(condition.part)})`;
      case 'constant':
        return condition.value ? '1 = 1' : '0 = 1';
      case 'null':
        return condition.subject.path ? this.jsonIsNull(condition.subject) : this.isNull(condition.subject.column);
      case 'compare':
        return this.compare(condition.subject, condition.op, condition.value);
      case 'in':
        return this.oneOf(condition.subject.column, condition.values);
      case 'like':
        return this.like(condition.subject, condition.pattern);
    }
  }

  private compare({ column, path }: Subject<SqlColumn>, op: Comparison, value: unknown): string {
    if (path) return this.jsonCompare(column, path, op, value);
    const placeholder = this.value(column, value);
    if (op === '=') return this.equals(column, `= ${placeholder}`);
    const comparison = `${this.sortable(column)} ${op} ${placeholder}`;
    const isTime = op === '>' ? column.codec.isTime?.(this.name(column)) : undefined;
    return isTime === undefined ? comparison : `(${comparison} AND ${isTime})`;
  }

  private isNull(column: SqlColumn): string {
    const sql = this.name(column);
    return column.codec.isNull?.(sql) ?? `${sql} IS NULL`;
  }

  private oneOf(column: SqlColumn, values: readonly unknown[]): string {
    return this.equals(column, `IN (${values.map((value) => this.value(column, value)).join(', ')})`);
  }

  /** @param comparison `= …` or `IN (…)` */
  private equals(column: SqlColumn, comparison: string): string {
    const sql = this.name(column);
    return column.kind === 'string' && !this.#collationEquality
      ? this.dialect.equalsText(sql, comparison, column.folded)
      : `${sql} ${comparison}`;
  }

  private like({ column, path }: Subject<SqlColumn>, pattern: unknown): string {
    const convert = (given: unknown): string | null => {
      const text = canonicalPattern(column, given);
      return text === null || text === IMPOSSIBLE ? null : this.dialect.likePattern(text as string);
    };
    const placeholder = this.add(
      pattern instanceof Param ? { param: pattern.name, convert } : { constant: convert(pattern) },
    );
    const sql = this.name(column);
    if (!path) return this.dialect.like(sql, placeholder, column.folded);
    const { json } = this.dialect;
    return this.jsonCase(
      column,
      path,
      json.text,
      this.dialect.like(json.textAt(sql, path, this.bindConstant), placeholder),
    );
  }

  private jsonIsNull({ column, path }: Subject<SqlColumn>): string {
    const type = this.dialect.json.type(this.name(column), path!, this.bindConstant);
    return `COALESCE(${type}, '${this.dialect.json.null}') = '${this.dialect.json.null}'`;
  }

  private jsonCompare(column: SqlColumn, path: NonNullable<Subject['path']>, op: Comparison, value: unknown): string {
    const { json } = this.dialect;
    if (value === null) return 'NULL = 1';
    const types = typeof value === 'number' ? json.number : typeof value === 'boolean' ? json.boolean : json.text;
    const at = { document: this.name(column), path, bind: this.bindConstant };
    return this.jsonCase(column, path, types, json.compare(at, op, value));
  }

  /** Unknown for null, false for a value of another type, else the comparison; `CASE` because `AND` may run in any order. */
  private jsonCase(
    column: SqlColumn,
    path: NonNullable<Subject['path']>,
    types: readonly string[],
    comparison: string,
  ): string {
    const { json } = this.dialect;
    const type = json.type(this.name(column), path, this.bindConstant);
    const listed = types.map((name) => `'${name}'`).join(', ');
    return `CASE WHEN COALESCE(${type}, '${json.null}') = '${json.null}' THEN NULL = 1 WHEN ${type} IN (${listed}) THEN ${comparison} ELSE 0 = 1 END`;
  }

  private readonly bindConstant = (value: unknown): string => this.add({ constant: value });
}
