import type { ColumnType } from 'typeorm';
import type { TimeRange } from '../../util/times.js';
import type { CharacterTest } from './character-sets.js';
import { DIGEST_BYTES, type DigestForm, type TimeForm } from './value-forms.js';
import type { TypeTraits } from './type-traits.js';

/** What kind of value a column holds, whatever the database calls its type. */
export type ColumnKind =
  'string' | 'uuid' | 'int' | 'bigint' | 'number' | 'decimal' | 'boolean' | 'timestamp' | 'json' | 'enum' | 'other';

/** Digits of decimal numbers: of all that a column can hold, and of these after the point, to which it rounds. */
export interface DecimalDigits {
  readonly digits: number;
  readonly scale: number;
}

/** Those of a column of a kind, by what is said of it; none where nothing is. */
export function decimalDigits(
  kind: ColumnKind,
  { precision, scale }: { readonly precision?: number | null | undefined; readonly scale?: number | null | undefined },
): { readonly decimal?: DecimalDigits } {
  return kind === 'decimal' && precision ? { decimal: { digits: precision, scale: scale ?? 0 } } : {};
}

/**
 * How a column holds values, where that is not the way of their kind: hexadecimal digits as bytes, UUIDs as text, which another
 * program may have written in capitals, or as text in the letters that they are given in, since a column of text has them
 * too, whole numbers as ids, for which any text may be taken, times as text or numbers, and digests.
 */
export type ValueForm = 'bytes' | 'text' | 'verbatim' | 'id' | TimeForm | DigestForm | typeof DIGEST_BYTES;

/** What a column holds, whatever its type, and how. */
export interface ColumnForm {
  readonly kind: ColumnKind;
  readonly form?: ValueForm | undefined;
  /** Whether that is only what is likely, where the table is not looked at. */
  readonly assumed?: boolean | undefined;
  /** Whether the storage makes a value where a row has none. */
  readonly generated?: boolean | undefined;
}

/** A column as the port sees it. */
export interface Column extends ColumnForm, TypeTraits {
  readonly property: string;
  readonly nullable: boolean;
  /** The most characters of a text, or bytes. */
  readonly length?: number | undefined;
  /** The most bytes of the text of JSON. @default any number */
  readonly bytes?: number | undefined;
  /** Whether its character set has all characters of a text. @default it has all that there are */
  readonly characters?: CharacterTest | undefined;
  /** Whether a digest of another length is filled up to it. */
  readonly filled?: boolean | undefined;
  /** Of decimal numbers. @default any number of digits */
  readonly decimal?: DecimalDigits | undefined;
  /** The values of an enum. */
  readonly values?: readonly unknown[] | undefined;
  /** The digits of a second's fraction that it has. @default 3 */
  readonly precision?: number | undefined;
  /** Of times: those that it can hold. @default all */
  readonly times?: TimeRange | undefined;
  /** Why the database cannot hold its values as they are. */
  readonly problem?: string | undefined;
  /** Whether nothing shows it unless it is asked for by name, as TypeORM's `select: false` has it. */
  readonly hidden?: boolean | undefined;
  /** The application's own conversion, as TypeORM has it. */
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

/** The kind of a TypeORM column type; `'other'` for types whose values pass through as they are. */
export function kindOf(type: ColumnType): ColumnKind {
  if (type === String) return 'string';
  if (type === Number) return 'int';
  if (type === Boolean) return 'boolean';
  // Fake timers put another class in the place of Date.
  if (type === Date || (typeof type === 'function' && type.name === 'Date')) return 'timestamp';
  return (typeof type === 'string' && KINDS[type]) || 'other';
}

/** Types of columns of bytes, as TypeORM and databases name them. */
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

/** Whether a type is one of bytes, whose kind is `'other'`. */
export function isBytes(type: ColumnType): boolean {
  return BYTES.includes(type);
}

/** Whether a column holds text. */
export function isText({ kind, form }: Pick<Column, 'kind' | 'form'>): boolean {
  return kind === 'string' && form !== 'bytes' && form !== DIGEST_BYTES;
}

/** What the compiler has to know of a table. */
export interface Columns<C extends Column = Column> {
  readonly name: string;
  /** The name with its schema and its database, where they are not those of the connection. @default name */
  readonly path?: string;
  readonly columns: ReadonlyMap<string, C>;
  /** Names that are no columns, to be refused with a hint. */
  readonly relations: ReadonlySet<string>;
  /** Whether the storage may keep other values than it is given, as triggers have it. @default false */
  readonly rewrites?: boolean;
}
