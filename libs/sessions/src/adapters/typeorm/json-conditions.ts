import { Param } from '../port/operators.js';
import { comparable, type Comparison, givenList, type Subject } from '../query/conditions.js';
import { type Dialect, JSON_TYPES, type JsonPlace, type JsonType } from './dialects/dialect.js';
import type { Slot, SlotWriter } from './slots.js';
import type { SqlColumn } from './sql-table.js';

/** The place of a value inside JSON, and what binds values. */
interface Place {
  readonly dialect: Dialect;
  readonly subject: Subject<SqlColumn>;
  readonly at: JsonPlace;
  readonly add: SlotWriter;
}

/** Conditions on a place inside a JSON column: unknown for null, and false for a value of another type. */
export class JsonConditions {
  constructor(private readonly place: Place) {}

  isNull(): string {
    const { json } = this.place.dialect;
    return `COALESCE(${json.type(this.place.at)}, '${json.null}') = '${json.null}'`;
  }

  compare(op: Comparison, value: unknown): string {
    const { subject, add } = this.place;
    if (value === null) return 'NULL = 1';
    const compared = (type: JsonType, slot: Slot): string => `${this.#value(type)} ${op} ${this.#bound(slot, type)}`;
    if (!(value instanceof Param)) {
      const type = typeOf(value)!;
      return this.#case([[type, compared(type, { constant: boundAs(value) })]]);
    }
    const { name: param } = value;
    const given = (convert: (stored: unknown) => unknown): Slot => ({
      param,
      convert: (one) => convert(comparable(subject, one)),
    });
    const isOfType = add(given(typeNumber));
    const branches = JSON_TYPES.map((type, i): Branch => {
      const slot = given((stored) => (typeOf(stored) === type ? boundAs(stored) : null));
      return [type, `${isOfType} = ${i} AND ${compared(type, slot)}`];
    });
    return this.#case(branches, `${isOfType} = ${OTHER}`);
  }

  oneOf(values: readonly unknown[] | Param): string {
    const { subject, add, dialect } = this.place;
    const { list } = dialect;
    const isIn = (type: JsonType, slot: Slot): Branch => [type, `${this.#value(type)} ${list.contains(add(slot))}`];
    const ofType = (stored: readonly unknown[], type: JsonType): unknown =>
      list.bound(stored.filter((value) => typeOf(value) === type).map(boundAs));
    if (!(values instanceof Param)) {
      const types = JSON_TYPES.filter((type) => values.some((value) => typeOf(value) === type));
      const found = this.#case(types.map((type) => isIn(type, { constant: ofType(values, type) })));
      return values.includes(null) ? `(${found} OR NULL = 1)` : found;
    }
    const given = (convert: (stored: readonly unknown[], isEmpty: boolean) => unknown): Slot => ({
      param: values.name,
      convert(one) {
        const { values: stored, isEmpty } = givenList(subject, one);
        return convert(stored, isEmpty);
      },
    });
    // With an empty list, nothing is unknown; with a null in the list, every miss is.
    const ofNull = `${add(given((_stored, isEmpty) => (isEmpty ? 0 : null)))} = 1`;
    const branches = JSON_TYPES.map((type) =>
      isIn(
        type,
        given((stored) => ofType(stored, type)),
      ),
    );
    const found = this.#case(branches, '0 = 1', ofNull);
    return `(${found} OR ${add(given((stored) => (stored.includes(null) ? null : 0)))} = 1)`;
  }

  like(slot: Slot): string {
    return this.#case([['text', this.place.dialect.like(this.#value('text'), this.place.add(slot))]]);
  }

  #value(type: JsonType): string {
    return this.place.dialect.json.value(this.place.at, type);
  }

  #bound(slot: Slot, type: JsonType): string {
    return this.place.dialect.json.bound(this.place.add(slot), type);
  }

  /** `CASE`, because `AND` may be evaluated in any order. */
  #case(branches: readonly Branch[], otherwise = '0 = 1', ofNull = 'NULL = 1'): string {
    const { json } = this.place.dialect;
    const cases = branches.map(([type, condition]) => {
      const names = json.types[type].map((name) => `'${name}'`).join(', ');
      return ` WHEN ${json.type(this.place.at)} IN (${names}) THEN ${condition}`;
    });
    return `CASE WHEN ${this.isNull()} THEN ${ofNull}${cases.join('')} ELSE ${otherwise} END`;
  }
}

/** The condition for values of one type. */
type Branch = readonly [type: JsonType, condition: string];

/** Comes after all types: for values that JSON cannot hold. */
const OTHER = JSON_TYPES.length;

function typeNumber(value: unknown): number | null {
  if (value === null) return null;
  const type = typeOf(value);
  return type ? JSON_TYPES.indexOf(type) : -1;
}

function typeOf(value: unknown): JsonType | undefined {
  const type = typeof value;
  if (type === 'string') return 'text';
  return type === 'number' || type === 'boolean' ? type : undefined;
}

function boundAs(value: unknown): unknown {
  return typeof value === 'boolean' ? Number(value) : value;
}
