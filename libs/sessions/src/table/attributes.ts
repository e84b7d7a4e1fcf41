import type { Row } from '../adapters/port/query.js';
import type { Columns } from '../adapters/port/columns.js';
import { stored } from '../adapters/port/operators.js';
import { storedRow } from '../adapters/query/rows.js';
import { type FieldErrors, SessionValidationError } from '../errors/errors.js';
import { IS_NO_OBJECT, IS_REQUIRED, thereAre, unlike } from '../errors/messages.js';
import { isObject, isRecord } from '../errors/option-types.js';
import { isGrant } from '../session/scopes.js';
import { copyOf } from '../util/copy.js';
import type { DefinedColumn } from './columns.js';

/** Validated attributes. */
export interface CheckedAttributes {
  /** The values in the form that a later read returns. */
  readonly values: Row;
  /** The values for the statement that writes them. */
  readonly stored: Row;
}

/** The built-in attributes that an application may set. */
const SETTABLE = ['data', 'expiresAt', 'scopes'];

/**
 * Validates the attributes of a new session and adds the defaults.
 *
 * @throws SessionValidationError naming every missing, unknown or wrong field
 */
export function newAttributes(table: Columns<DefinedColumn>, attributes: object): CheckedAttributes {
  const given = givenOf(table, attributes);
  const errors = unknownFields(table, given);
  const row: Row = { data: {}, ...(table.columns.has('scopes') && { scopes: [] }), ...given };
  for (const [name, column] of table.columns) {
    if (!column.definition || Object.hasOwn(given, name)) continue;
    if (column.definition.default !== undefined) row[name] = column.definition.default;
    else if (column.nullable) row[name] = null;
    else errors[name] = IS_REQUIRED;
  }
  return checked(table, row, errors);
}

/** Validates the changes of a session. @throws SessionValidationError naming every unknown, immutable or wrong field */
export function changedAttributes(table: Columns<DefinedColumn>, changes: object): CheckedAttributes {
  const given = givenOf(table, changes);
  const errors = unknownFields(table, given);
  for (const name of Object.keys(given)) {
    if (table.columns.get(name)?.definition?.immutable) errors[name] = 'is immutable';
  }
  return checked(table, given, errors);
}

function givenOf({ name }: Columns, attributes: object): Row {
  if (!isRecord(attributes)) throw new SessionValidationError(name, { attributes: unlike(IS_NO_OBJECT, attributes) });
  if (!Object.values(attributes).includes(undefined)) return { ...attributes };
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

function unknownFields(table: Columns<DefinedColumn>, given: Row): Record<string, string> {
  const isUnknown = (name: string): boolean => !isSettable(table.columns.get(name));
  return Object.fromEntries(
    Object.keys(given)
      .filter(isUnknown)
      .map((name) => [name, reason(table, name)]),
  );
}

function isSettable(column: DefinedColumn | undefined): boolean {
  return column !== undefined && (column.definition !== undefined || SETTABLE.includes(column.property));
}

function reason({ columns, relations }: Columns<DefinedColumn>, name: string): string {
  if (columns.has(name)) return 'is set by the library';
  if (relations.has(name)) return 'is a relation: set the field of its join column';
  const settable = [...columns.values()].filter(isSettable);
  return `is no field of this table ${thereAre(settable.map(({ property }) => property))}`;
}

function checked(table: Columns<DefinedColumn>, row: Row, errors: FieldErrors): CheckedAttributes {
  const all: Record<string, string> = { ...errors };
  const { data } = row;
  if (data !== undefined && !isRecord(data) && !hasJson(data)) all['data'] = IS_NO_OBJECT;
  const scopes = table.columns.get('scopes')?.scopes;
  if (scopes && row['scopes'] !== undefined && !isGrants(row['scopes'], scopes))
    all['scopes'] = `must be a list of ${scopes.join(', ')}, or wildcards that cover some of them`;
  const isRight = (name: string): boolean => !Object.hasOwn(all, name);
  const names = Object.keys(row);
  const known = names.every(isRight) ? row : Object.fromEntries(names.filter(isRight).map((name) => [name, row[name]]));
  const checkedAttributes = { values: {} as Row, stored: {} as Row };
  try {
    for (const [{ property, kind, transformer }, value] of storedRow(table, known)) {
      checkedAttributes.stored[property] = stored(value, kind);
      checkedAttributes.values[property] = transformer ? transformer.from(copyOf(value)) : value;
      // A `toJSON` may return anything.
      if (property === 'data' && !isObject(value)) all['data'] = IS_NO_OBJECT;
    }
  } catch (error) {
    if (!(error instanceof SessionValidationError)) throw error;
    Object.assign(all, error.errors);
  }
  if (Object.keys(all).length > 0) throw new SessionValidationError(table.name, all);
  return checkedAttributes;
}

function hasJson(value: unknown): boolean {
  return isObject(value) && 'toJSON' in value;
}

function isGrants(value: unknown, scopes: readonly string[]): boolean {
  return Array.isArray(value) && value.every((grant) => isGrant(grant, scopes));
}
