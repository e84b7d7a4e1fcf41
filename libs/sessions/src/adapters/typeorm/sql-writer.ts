import { ALL_TIMES, ceilTime } from '../../util/times.js';
import { type Condition, givenList, isMixed, type Subject } from '../query/conditions.js';
import { type Compared, fallbacksIn } from '../query/fallbacks.js';
import { type JsonKey, Param } from '../port/operators.js';
import { isText } from '../port/columns.js';
import type { GivenKeys } from '../query/json-keys.js';
import { toStorable } from '../query/storable.js';
import { canonicalCount, canonicalPattern, IMPOSSIBLE, toStored } from '../query/values.js';
import type { BindKeys, Dialect, JsonPlace } from './dialects/dialect.js';
import { JsonConditions } from './json-conditions.js';
import { isSecret } from './secrets.js';
import type { ParamSlot, Slot } from './slots.js';
import type { SqlColumn } from './sql-table.js';
import { boundsOf, commonTimeTest, timeTest } from './time-comparisons.js';

/** How to write conditions. */
interface Writing {
  /** The prefix of column names: the alias of their table and a dot. Default: none. */
  readonly prefix?: string;
  /** The prefix of parameter names. Default: `p`. */
  readonly parameters?: string;
  /** Whether text that its collation takes for equal counts as equal. Default: false. */
  readonly collationEquality?: boolean | undefined;
  /** The table of a statement that is kept prepared. */
  readonly keptOn?: string | undefined;
  /** Whether rows are found by key before other conditions are checked. Default: false. */
  readonly byKey?: boolean | undefined;
  /** Writes a parameter whose value differs by row; `undefined`, and by default: its placeholder. */
  readonly byRow?: ((column: SqlColumn, slot: ParamSlot) => string | undefined) | undefined;
}

/** The most spellings of a value. */
const SPELLINGS = 3;

/** Writes conditions as SQL, and collects their values under names that TypeORM turns into the driver's placeholders. */
export class SqlWriter {
  readonly slots: Record<string, Slot> = {};
  readonly #prefix: string;
  readonly #parameters: string;
  readonly #collationEquality: boolean;
  readonly #keptOn: string | undefined;
  readonly #byKey: boolean;
  readonly #byRow: Writing['byRow'];
  /** Whether the driver writes bound values into the statement. */
  writesOut = false;
  #count = 0;

  constructor(
    private readonly dialect: Dialect,
    { prefix = '', parameters = 'p', collationEquality = false, keptOn, byKey = false, byRow }: Writing = {},
  ) {
    this.#prefix = prefix;
    this.#parameters = parameters;
    this.#collationEquality = collationEquality;
    this.#keptOn = keptOn;
    this.#byKey = byKey;
    this.#byRow = byRow;
  }

  name(column: SqlColumn): string {
    return this.#prefix + column.sqlName;
  }

  /** The expression to read a column. */
  read(column: SqlColumn): string {
    const { path } = column;
    return path ? this.dialect.json.read(this.place(column, path)) : column.read(this.name(column));
  }

  /** A placeholder for a stored value, or a parameter, to compare with the column. */
  operand(column: SqlColumn, value: unknown, change?: (stored: unknown) => unknown): string {
    const operand = change ? (stored: unknown): unknown => column.operand(change(stored)) : column.operand;
    if (!(value instanceof Param)) return column.bind(this.add({ constant: operand(value) }, column));
    return this.given(column, { param: value.name, convert: (given) => operand(toStored(column, given)) });
  }

  /** A placeholder for a value to assign to the column, which must be able to hold it. */
  assigned(column: SqlColumn, value: unknown): string {
    if (!(value instanceof Param)) return column.bind(this.add({ constant: column.dump(value) }, column));
    const convert = (given: unknown): unknown => column.dump(toStorable(column, given));
    return this.given(column, { param: value.name, convert });
  }

  /** A parameter that is compared with its column or assigned to it. */
  private given(column: SqlColumn, slot: ParamSlot): string {
    return this.#byRow?.(column, slot) ?? column.bind(this.add(slot, column));
  }

  /** The value of another column, to assign to this one. */
  copied(column: SqlColumn, source: SqlColumn): string {
    // Otherwise PostgreSQL would read the time in the connection's time zone.
    return column.zoned === source.zoned ? this.name(source) : `${this.name(source)} AT TIME ZONE 'UTC'`;
  }

  /** The later one of a time and a millisecond after the column's own. */
  later(column: SqlColumn, time: unknown): string {
    return column.codec.later!(this.name(column), this.assigned(column, time));
  }

  /** The column's object with some keys set and others removed. */
  changed(column: SqlColumn, { counts, param, read }: GivenKeys): string {
    const bind: BindKeys = (part) =>
      param === undefined ? this.bind(part(read())) : this.slot({ param, convert: (given) => part(read(given)) });
    return this.dialect.changeKeys(this.name(column), counts, bind);
  }

  /** The expression to sort by and compare ranges: text and enums by code points. */
  sortable(column: SqlColumn): string {
    const sql = this.name(column);
    return isText(column) || column.kind === 'enum' ? this.dialect.byCodePoint(sql) : sql;
  }

  /** A placeholder for a number of rows. */
  rows(count: number | Param): string {
    return this.add(count instanceof Param ? { param: count.name, convert: canonicalCount } : { constant: count });
  }

  /** A placeholder for a value. */
  readonly bind = (value: unknown): string => this.add({ constant: value });

  /** A placeholder for a parameter. */
  readonly slot = (slot: ParamSlot): string => this.add(slot);

  /** @param column the column of the value */
  private add(slot: Slot, column?: SqlColumn): string {
    const key = `${this.#parameters}${this.#count++}`;
    this.slots[key] = column && isSecret(column) ? { ...slot, isSecret: true } : slot;
    return `:${key}`;
  }

  /** @param isNegated whether unknown must stay distinct from false */
  write(condition: Condition<SqlColumn>, isNegated = false): string {
    switch (condition.kind) {
      case 'and':
        return `(${condition.parts.map((part) => this.write(part, isNegated)).join(' AND ')})`;
      case 'or':
        return this.either(condition.parts, isNegated);
      case 'not':
        return `NOT (${this.write(condition.part, true)})`;
      case 'constant':
        return condition.value ? '1 = 1' : '0 = 1';
      case 'null':
        return condition.subject.path
          ? this.json(condition.subject).isNull()
          : this.ofNoIndex(condition.subject.column);
      case 'compare':
        return this.compare(condition, isNegated);
      case 'in':
        return this.oneOf(condition.subject, condition.values, isNegated);
      case 'like':
        return this.like(condition.subject, condition.pattern);
      case 'within':
        return `${this.dialect.bytesOf(this.changed(condition.column, condition.keys))} <= ${this.bind(condition.bytes)}`;
    }
  }

  private either(parts: readonly Condition<SqlColumn>[], isNegated: boolean): string {
    const fallbacks = (!isNegated && fallbacksIn(parts)) || [];
    const isTime = commonTimeTest(fallbacks);
    if (!isTime || fallbacks.length === 1) return `(${parts.map((part) => this.write(part, isNegated)).join(' OR ')})`;
    // One test that the chosen value is a time serves all of them.
    const comparisons = fallbacks.map((one) => this.compareValues(one)).join(', ');
    const time = `COALESCE(${fallbacks.map(({ subject }) => this.name(subject.column)).join(', ')})`;
    return `COALESCE(${comparisons}) AND ${this.dialect.named?.(time, isTime) ?? isTime(time)}`;
  }

  private compare(condition: Compared<SqlColumn>, isNegated: boolean): string {
    const comparison = this.compareValues(condition);
    const name = this.name(condition.subject.column);
    const isTime = timeTest(condition)?.(name);
    return isTime
      ? `(${comparison} AND ${isNegated ? `(${name} IS NULL OR (${isTime}) IS TRUE)` : isTime})`
      : comparison;
  }

  private compareValues({ subject, op, value }: Omit<Compared<SqlColumn>, 'kind'>): string {
    const { column, path } = subject;
    if (path) return this.json(subject).compare(op, value);
    const { stepMs } = column.codec;
    if (stepMs !== undefined) {
      const bounds = boundsOf(stepMs, op).map(
        ([comparison, change]) => `${this.name(column)} ${comparison} ${this.operand(column, value, change)}`,
      );
      return bounds.length === 1 ? bounds[0]! : `(${bounds.join(' AND ')})`;
    }
    if (op === '=') return this.equals(column, oneOrList(this.spelled(column, value)));
    return `${this.sortable(column)} ${op} ${this.operand(column, value)}`;
  }

  /** Tests for null without using an index, for rows that are found by key. */
  private ofNoIndex(column: SqlColumn): string {
    const isNull = this.isNull(column);
    return (this.#byKey && this.dialect.likely?.(isNull)) || isNull;
  }

  private isNull(column: SqlColumn): string {
    const sql = this.name(column);
    return column.codec.isNull?.(sql) ?? `${sql} IS NULL`;
  }

  private oneOf(subject: Subject<SqlColumn>, values: readonly unknown[] | Param, isNegated: boolean): string {
    const { column, path } = subject;
    if (isMixed(values)) {
      if (path || column.codec.stepMs !== undefined)
        return `(${values.map((value) => this.compareValues({ subject, op: '=', value })).join(' OR ')})`;
      // As many as are given when it is prepared: PostgreSQL plans a short list faster than an array.
      return this.equals(column, oneOrList(values.flatMap((value) => this.spelled(column, value))));
    }
    const { list } = this.dialect;
    this.writesOut ||= list.isWrittenOut ?? false;
    if (path) return this.json(subject).oneOf(values);
    const asListed = listed(column);
    const spelled = (stored: readonly unknown[]): readonly unknown[] =>
      column.codec.spellings ? stored.flatMap(spellingsIn(column)) : stored;
    const bound = (stored: readonly unknown[]): unknown => list.bound(spelled(stored).map(asListed));
    const contains = (slot: Slot): string =>
      this.inList(column, list.contains(this.add(slot, column), column, this.#keptOn));
    if (!(values instanceof Param)) return contains({ constant: bound(values) });
    const { name: param } = values;
    const found = contains({ param, convert: (given) => bound(givenList(subject, given).values) });
    if (!isNegated || !column.nullable) return found;
    // If the column can hold none of the given values, null is neither known to be in the list nor known not to be.
    const convert = (given: unknown): 0 | null => {
      const { isEmpty, values: possible } = givenList(subject, given);
      return isEmpty || possible.length > 0 ? 0 : null;
    };
    return `(${found} OR (${this.isNull(column)} AND ${this.add({ param, convert })} = 1))`;
  }

  /** Placeholders for all spellings of a value. */
  spelled(column: SqlColumn, value: unknown): string[] {
    const spellings = spellingsIn(column);
    if (!(value instanceof Param)) return spellings(value).map((spelling) => this.operand(column, spelling));
    if (!column.codec.spellings) return [this.operand(column, value)];
    // How many spellings a value has is unknown until it is given.
    return Array.from({ length: SPELLINGS }, (_, i) => {
      const convert = (given: unknown): unknown => {
        const all = spellings(toStored(column, given));
        return column.operand(all[i] ?? all[0]);
      };
      return this.given(column, { param: value.name, convert });
    });
  }

  /** Tests whether a value, or the start of the step that it is in, is in a list. */
  private inList(column: SqlColumn, comparison: string): string {
    const { stepBegin } = column.codec;
    return stepBegin ? `${stepBegin(this.name(column))} ${comparison}` : this.equals(column, comparison);
  }

  /** @param comparison `= …` or `IN (…)` */
  private equals(column: SqlColumn, comparison: string): string {
    const sql = this.name(column);
    return isText(column) && !this.#collationEquality
      ? this.dialect.equalsText(sql, comparison, column.folded)
      : `${sql} ${comparison}`;
  }

  private like(subject: Subject<SqlColumn>, pattern: unknown): string {
    const { column, path } = subject;
    const convert = (given: unknown): string | null => {
      const text = canonicalPattern(column, given);
      return text === null || text === IMPOSSIBLE ? null : this.dialect.likePattern(text as string);
    };
    const slot: Slot = pattern instanceof Param ? { param: pattern.name, convert } : { constant: convert(pattern) };
    return path
      ? this.json(subject).like(slot)
      : this.dialect.like(this.name(column), this.add(slot, column), column.folded);
  }

  private json(subject: Subject<SqlColumn>): JsonConditions {
    const at = this.place(subject.column, subject.path!);
    return new JsonConditions({ dialect: this.dialect, subject, at, add: (slot) => this.add(slot) });
  }

  private place(column: SqlColumn, path: readonly JsonKey[]): JsonPlace {
    return { document: this.name(column), path, bind: this.bind };
  }
}

/** A comparison with one placeholder, or with any of several. */
function oneOrList(placeholders: readonly string[]): string {
  return placeholders.length === 1 ? `= ${placeholders[0]}` : `IN (${placeholders.join(', ')})`;
}

/** Returns all spellings of a stored value of a column. */
function spellingsIn({ codec: { spellings } }: SqlColumn): (stored: unknown) => readonly unknown[] {
  return (stored) => (spellings && typeof stored === 'string' ? spellings(stored) : [stored]);
}

/** Converts stored values of a column into their form in a list. */
function listed(column: SqlColumn): (stored: unknown) => unknown {
  const { codec, times = ALL_TIMES } = column;
  return (stored) => {
    // A time between two steps equals nothing, like the very first time.
    const isBetween = codec.stepMs !== undefined && stored instanceof Date && stored.getTime() % codec.stepMs !== 0;
    const value = column.operand(isBetween ? new Date(ceilTime(times, times.firstMs)) : stored);
    return value === null || !codec.listed ? value : codec.listed(value);
  };
}
