import type { ColumnType } from 'typeorm';
import type { TimeRange } from '../../util/times.js';
import type { CharacterTest } from './character-sets.js';
import { DIGEST_BYTES, type DigestForm, type TimeForm } from './value-forms.js';
import type { TypeTraits } from './type-traits.js';

/** The kind of values that a column holds, whatever the database calls its type. */
export type ColumnKind =
  'string' | 'uuid' | 'int' | 'bigint' | 'number' | 'decimal' | 'boolean' | 'timestamp' | 'json' | 'enum' | 'other';

/** The digits of a decimal column: in total, and after the point, to which it rounds. */
export interface DecimalDigits {
  readonly digits: number;
  readonly scale: number;
}

/** The digits of a column, from its declaration; `undefined` if it declares none. */
export function decimalDigits(
  kind: ColumnKind,
  { precision, scale }: { readonly precision?: number | null | undefined; readonly scale?: number | null | undefined },
): { readonly decimal?: DecimalDigits } {
  return kind === 'decimal' && precision ? { decimal: { digits: precision, scale: scale ?? 0 } } : {};
}

/**
 * How a column holds values, if not in the usual way of their kind:
 * - hexadecimal digits as bytes
 * - UUIDs as text, which another program may have written in upper case
 * - UUIDs in the letters in which they were given, since a text column keeps those
 * - whole numbers as ids, for which callers may pass any text
 * - times as text or numbers
 * - digests
 */
export type ValueForm = 'bytes' | 'text' | 'verbatim' | 'id' | TimeForm | DigestForm | typeof DIGEST_BYTES;

/** What a column holds, whatever its type, and in which form. */
export interface ColumnForm {
  readonly kind: ColumnKind;
  readonly form?: ValueForm | undefined;
  /** Whether that is an assumption about a table that was not checked. */
  readonly assumed?: boolean | undefined;
  /** Whether the storage makes a value if a row has none. */
  readonly generated?: boolean | undefined;
}

/** A column from the view of the port. */
export interface Column extends ColumnForm, TypeTraits {
  readonly property: string;
  readonly nullable: boolean;
  /** The most characters of text, or bytes. */
  readonly length?: number | undefined;
  /** The most bytes of JSON text. @default no limit */
  readonly bytes?: number | undefined;
  /** Tests whether its character set can store a text. @default any text */
  readonly characters?: CharacterTest | undefined;
  /** Whether shorter digests are padded to its length. */
  readonly filled?: boolean | undefined;
  /** The digits of decimal numbers. @default no limit */
  readonly decimal?: DecimalDigits | undefined;
  /** The values of an enum. */
  readonly values?: readonly unknown[] | undefined;
  /** The fractional digits of seconds. @default 3 */
  readonly precision?: number | undefined;
  /** The range of times that it can hold. @default all */
  readonly times?: TimeRange | undefined;
  /** Why the database cannot hold its values unchanged. */
  readonly problem?: string | undefined;
  /** Whether it is read only if named, like TypeORM's `select: false`. */
  readonly hidden?: boolean | undefined;
  /** The application's own conversion, as in TypeORM. */
  readonly transformer?: Transformer | undefined;
}

export interface Transformer {
  to(value: unknown): unknown;
  from(value: unknown): unknown;
}

const KINDS: Readonly<Record<string, ColumnKind>> = {
  ...kind(
    'string',
    'varchar',
    'character varying',
    'varying character',
    'nvarchar',
    'char',
    'character',
    'nchar',
    'citext',
  ),
  ...kind('string', 'text', 'tinytext', 'mediumtext', 'longtext', 'clob'),
  ...kind('uuid', 'uuid'),
  ...kind('int', 'int', 'integer', 'int4', 'int2', 'smallint', 'mediumint', 'tinyint'),
  ...kind('bigint', 'bigint', 'int8', 'unsigned big int'),
  ...kind('number', 'double precision', 'double', 'float', 'float8', 'real', 'float4'),
  ...kind('decimal', 'decimal', 'numeric', 'dec', 'fixed'),
  ...kind('boolean', 'boolean', 'bool'),
  ...kind('timestamp', 'timestamp', 'timestamptz', 'datetime'),
  ...kind('timestamp', 'timestamp with time zone', 'timestamp without time zone'),
  ...kind('json', 'json', 'jsonb', 'simple-json'),
  ...kind('enum', 'enum', 'simple-enum'),
};

function kind(name: ColumnKind, ...types: string[]): Record<string, ColumnKind> {
  return Object.fromEntries(types.map((type) => [type, name]));
}

/** The kind of a TypeORM column type; `'other'` for types whose values pass through unchanged. */
export function kindOf(type: ColumnType): ColumnKind {
  if (type === String) return 'string';
  if (type === Number) return 'int';
  if (type === Boolean) return 'boolean';
  // Fake timers replace the class Date.
  if (type === Date || (typeof type === 'function' && type.name === 'Date')) return 'timestamp';
  return (typeof type === 'string' && KINDS[type]) || 'other';
}

/** The types of binary columns, as TypeORM and databases name them. */
const BYTES: readonly unknown[] = [
  'bytea',
  'binary',
  'varbinary',
  'binary varying',
  'tinyblob',
  'blob',
  'mediumblob',
  'longblob',
  Buffer,
];

/** Whether a type is binary; its kind is `'other'`. */
export function isBytes(type: ColumnType): boolean {
  return BYTES.includes(type);
}

/** Whether a column holds text. */
export function isText({ kind, form }: Pick<Column, 'kind' | 'form'>): boolean {
  return kind === 'string' && form !== 'bytes' && form !== DIGEST_BYTES;
}

/** The part of a table that compilers of queries need. */
export interface Columns<C extends Column = Column> {
  readonly name: string;
  /** The name with schema and database, if those differ from the connection's. @default name */
  readonly path?: string;
  readonly columns: ReadonlyMap<string, C>;
  /** Names that are not columns; they are refused with a hint. */
  readonly relations: ReadonlySet<string>;
  /** Whether the storage may change values, as triggers do. @default false */
  readonly rewrites?: boolean;
}
