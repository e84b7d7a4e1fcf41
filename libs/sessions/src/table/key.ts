import type { ColumnType, EntitySchemaColumnOptions } from 'typeorm';
import type { Column } from '../adapters/port/columns.js';
import { traitsOf } from '../adapters/port/type-traits.js';
import { keyKindOf } from '../adapters/port/keys.js';
import { canonical, IMPOSSIBLE, ValueError } from '../adapters/query/values.js';
import { SessionsConfigError } from '../errors/errors.js';
import { inTable } from '../errors/messages.js';
import { newId } from '../util/uuid.js';
import { type KeyMapping, mappingOf, type SessionsTableDefinition, tableNameOf } from './definition.js';
import { inKey, KEY_HOLDS_NO_UUID, NO_KEY_LENGTH, NO_KEY_TYPE, noKey } from './messages.js';

/** Fixed-length types, which have length 1 by default. */
const FIXED = new Set<unknown>(['char', 'character', 'nchar', 'binary']);

/** A generated key is text unless a type is set. */
function typeOf({ type, generate }: KeyMapping): NonNullable<KeyMapping['type']> {
  return type ?? (typeof generate === 'function' ? 'varchar' : 'uuid');
}

/** The key column of a table. */
export function keyColumn(definition: SessionsTableDefinition): Column {
  const mapping = mappingOf(definition, 'id');
  const type = typeOf(mapping);
  const { kind, form } = keyKindOf(type) ?? { kind: 'uuid' };
  const generated = (mapping.generate ?? (kind === 'bigint' ? 'database' : undefined)) === 'database';
  const assumed = mapping.type === undefined;
  const known = { kind, form, assumed, generated, nullable: false, length: mapping.length };
  return { property: 'id', ...known, ...traitsOf(type) };
}

/** The same for TypeORM. */
export function keyOptions(definition: SessionsTableDefinition): EntitySchemaColumnOptions {
  const mapping = mappingOf(definition, 'id');
  const { kind, generated } = keyColumn(definition);
  const strategy = kind === 'bigint' ? 'increment' : kind === 'uuid' ? 'uuid' : undefined;
  return {
    type: typeOf(mapping) as ColumnType,
    primary: true,
    nullable: false,
    ...(mapping.length !== undefined && { length: mapping.length }),
    ...(generated && strategy && { generated: strategy }),
  };
}

/** The problems with a table's keys. Tries one key to find out. */
export function keyProblems(definition: SessionsTableDefinition): string[] {
  const mapping = mappingOf(definition, 'id');
  const type = typeOf(mapping);
  if (!keyKindOf(type)) return [inKey(NO_KEY_TYPE)];
  if (FIXED.has(type) && mapping.length === undefined) return [inKey(NO_KEY_LENGTH)];
  const column = keyColumn(definition);
  if (column.generated) return [];
  try {
    const key = makeKey(mapping, column, Date.now());
    const isShort = FIXED.has(type) && key.length < mapping.length! * (column.form === 'bytes' ? 2 : 1);
    return isShort ? [inKey(noKey(key))] : [];
  } catch (error) {
    return [inKey((error as Error).message)];
  }
}

/** The key of a new session, or `undefined` if the database makes it. @throws SessionsConfigError for a key of another type */
export function newKey(definition: SessionsTableDefinition, column: Column, ms: number): string | undefined {
  if (column.generated) return undefined;
  try {
    return makeKey(mappingOf(definition, 'id'), column, ms);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new SessionsConfigError([inTable(tableNameOf(definition), inKey(error.message))]);
  }
}

/** @throws ValueError if the column cannot hold the key */
function makeKey({ generate }: KeyMapping, column: Column, ms: number): string {
  const made: unknown = typeof generate === 'function' ? generate() : newId(ms);
  const key = canonical(column, made ?? null);
  if (typeof key === 'string') return key;
  throw new ValueError(generate === undefined && key === IMPOSSIBLE ? KEY_HOLDS_NO_UUID : noKey(made));
}
