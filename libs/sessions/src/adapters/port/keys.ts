import type { ColumnType } from 'typeorm';
import { signOf, type UnsignedType } from './type-traits.js';
import { type Column, type ColumnKind, isBytes, kindOf } from './columns.js';

type Kind = Pick<Column, 'kind' | 'form'>;

/** The types that keys can have. */
const KINDS: Readonly<Partial<Record<ColumnKind, Kind>>> = {
  uuid: { kind: 'uuid' },
  string: { kind: 'string' },
  int: { kind: 'bigint', form: 'id' },
  bigint: { kind: 'bigint', form: 'id' },
  decimal: { kind: 'bigint', form: 'id' },
};

/** The kind of keys of a type; sessions have keys as text. `undefined` for a type that no key can have. */
export function keyKindOf(type: ColumnType | UnsignedType): Kind | undefined {
  const signed = (typeof type === 'string' ? signOf(type).type : type) as ColumnType;
  return isBytes(signed) ? { kind: 'string', form: 'bytes' } : KINDS[kindOf(signed)];
}
