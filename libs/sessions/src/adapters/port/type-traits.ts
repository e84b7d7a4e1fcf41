/** What a column's type says about its values, besides their kind. */
export interface TypeTraits {
  /** The bits of whole numbers, if not those of the kind: 32 for an `int`, 64 for a `bigint`. */
  readonly bits?: number | undefined;
  /** Whether numbers are never negative. */
  readonly unsigned?: boolean | undefined;
  /** Whether floating-point numbers have single precision. */
  readonly single?: boolean | undefined;
  /** Whether trailing spaces do not belong to a text. */
  readonly padded?: boolean | undefined;
  /** Whether its own equality takes different texts for equal. */
  readonly folded?: boolean | undefined;
}

/** Unsigned integer types of MySQL and MariaDB. In TypeORM, `unsigned` is an option of the signed types. */
export type UnsignedType = `${'tinyint' | 'smallint' | 'mediumint' | 'int' | 'integer' | 'bigint'} unsigned`;

const BITS: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, int2: 16, mediumint: 24 };

const SINGLE = new Set(['real', 'float4']);
const PADDED = new Set(['char', 'character', 'nchar', 'bpchar']);
const UNSIGNED = ' unsigned';

/** The traits of a type, as TypeORM or the database names it. */
export function traitsOf(type: unknown): TypeTraits {
  if (typeof type !== 'string') return {};
  const { type: name, unsigned } = signOf(type);
  const bits = Object.hasOwn(BITS, name) ? BITS[name] : undefined;
  return {
    ...(bits !== undefined && { bits }),
    ...(unsigned && { unsigned }),
    ...(SINGLE.has(name) && { single: true }),
    ...(PADDED.has(name) && { padded: true }),
    ...(name === 'citext' && { folded: true }),
  };
}

/** Splits a type from its `unsigned`, which is an option in TypeORM. */
export function signOf(type: string): { type: string; unsigned: boolean } {
  const unsigned = type.endsWith(UNSIGNED);
  return { type: unsigned ? type.slice(0, -UNSIGNED.length) : type, unsigned };
}

/** Whether a text or binary type takes a length. */
export function takesLength(type: unknown): boolean {
  return typeof type !== 'string' || /char|varying|binary/.test(type);
}
