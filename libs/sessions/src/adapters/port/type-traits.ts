/** What the type of a column says of its values, beside their kind. */
export interface TypeTraits {
  /** Of whole numbers the bits, where they are not those of the kind: 32 of an `int`, 64 of a `bigint`. */
  readonly bits?: number | undefined;
  /** Whether none is below zero. */
  readonly unsigned?: boolean | undefined;
  /** Whether a floating point number has single precision. */
  readonly single?: boolean | undefined;
  /** Whether spaces at the end of a text are no part of it. */
  readonly padded?: boolean | undefined;
  /** Whether its own equality takes other texts for the same. */
  readonly folded?: boolean | undefined;
}

/** Whole numbers of MySQL and MariaDB from zero on, which TypeORM has as an option of the others. */
export type UnsignedType = `${'tinyint' | 'smallint' | 'mediumint' | 'int' | 'integer' | 'bigint'} unsigned`;

const BITS: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, int2: 16, mediumint: 24 };

const SINGLE = new Set(['real', 'float4']);
const PADDED = new Set(['char', 'character', 'nchar', 'bpchar']);
const UNSIGNED = ' unsigned';

/** What a type says, as TypeORM or the database names it. */
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

/** A type without its `unsigned`, which TypeORM has as an option. */
export function signOf(type: string): { type: string; unsigned: boolean } {
  const unsigned = type.endsWith(UNSIGNED);
  return { type: unsigned ? type.slice(0, -UNSIGNED.length) : type, unsigned };
}

/** Whether a type of text, or of bytes, takes a length. */
export function takesLength(type: unknown): boolean {
  return typeof type !== 'string' || /char|varying|binary/.test(type);
}
