import type { ColumnType } from 'typeorm';
import { signOf, type UnsignedType } from './type-traits.js';
import { type Column, type ColumnKind, isBytes, kindOf } from './columns.js';

type Kind = Pick<Column, 'kind' | 'form'>;

/** What keys can be. */
const KINDS: Readonly<Partial<Record<ColumnKind, Kind>>> = {
  uuid: { kind: 'uuid' },
  string: { kind: 'string' },
  int: { kind: 'bigint', form: 'id' },
  bigint: { kind: 'bigint', form: 'id' },
  decimal: { kind: 'bigint', form: 'id' },
};

/** What keys of a type are, whose values a session has as text; `undefined` for a type that no key has. */
export function keyKindOf(type: ColumnType | UnsignedType): Kind | undefined {
  const signed = (typeof type === 'string' ? signOf(type).type : type) as ColumnType;
  return isBytes(signed) ? { kind: 'string', form: 'bytes' } : KINDS[kindOf(signed)];
}
