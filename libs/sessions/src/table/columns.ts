import type { ColumnType } from 'typeorm';
import {
  type Column,
  type ColumnForm,
  type ColumnKind,
  type Columns,
  isBytes,
  type ValueForm,
} from '../adapters/port/columns.js';
import { DIGEST_BYTES, DIGEST_FORMS, TIME_FORMS } from '../adapters/port/value-forms.js';
import { takesLength, traitsOf } from '../adapters/port/type-traits.js';
import { hidesTokens } from '../token/digest.js';
import { BUILT_IN_COLUMNS, type BuiltInColumn } from './built-in-columns.js';
import {
  fieldsOf,
  lastUseOf,
  mappingOf,
  relationsOf,
  type SessionsTableDefinition,
  tableNameOf,
} from './definition.js';
import type { FieldDefinition, FieldType } from './fields.js';
import { keyColumn } from './key.js';

/** A column of a table of sessions, according to its definition. */
export interface DefinedColumn extends Column {
  readonly definition?: FieldDefinition;
  /** The scopes that the column accepts. */
  readonly scopes?: readonly string[] | undefined;
}

export const DEFAULT_STRING_LENGTH = 255;

/** The kind of a column, by the type of its field. */
export const KIND_OF: Readonly<Record<FieldType, ColumnKind>> = {
  string: 'string',
  text: 'string',
  uuid: 'uuid',
  int: 'int',
  bigint: 'bigint',
  number: 'number',
  boolean: 'boolean',
  timestamp: 'timestamp',
  json: 'json',
  enum: 'enum',
};

/** The built-in columns of a table by name, in order. */
export function builtInColumnsOf(definition: SessionsTableDefinition): [string, BuiltInColumn][] {
  const lastUse = lastUseOf(definition);
  const given = { ...definition, lastUse, 'lastUse.ip': lastUse?.ip, 'lastUse.userAgent': lastUse?.userAgent };
  return Object.entries<BuiltInColumn>(BUILT_IN_COLUMNS).filter(
    ([, { presentIf }]) => presentIf === undefined || given[presentIf],
  );
}

/** The columns of each built-in index. */
export function builtInIndexes(definition: SessionsTableDefinition): string[][] {
  const columns = new Map(builtInColumnsOf(definition));
  return [...columns.values()].flatMap(({ index }) => (index ? [index.filter((name) => columns.has(name))] : []));
}

/** The columns of a table that hold digests. */
export function digestsOf({ rotation }: SessionsTableDefinition): readonly string[] {
  return rotation ? ['authTokenDigest', 'previousTokenDigest'] : ['authTokenDigest'];
}

/**
 * Whether the library chooses the type of digests: bytes in a new table, the actual type in an existing one. It does so
 * if the definition sets neither type nor form for them, and no tokens may be stored in clear.
 */
function areBytes(definition: SessionsTableDefinition): boolean {
  const { hashingAlgorithm, formerSchemes = [] } = definition;
  const mappings = digestsOf(definition).map((property) => mappingOf(definition, property));
  const isOpen = mappings.every(({ type, form }) => type === undefined && form === undefined);
  return isOpen && hashingAlgorithm !== null && formerSchemes.every(hidesTokens);
}

/** The forms of time and digest columns, whatever their types. An unknown form is reported at start-up. */
export function formsOf(definition: SessionsTableDefinition): ReadonlyMap<string, ColumnForm> {
  const digests = digestsOf(definition);
  const assumed = areBytes(definition);
  const forms = new Map<string, ColumnForm>();
  for (const [property, { type }] of [...builtInColumnsOf(definition), ...fieldsOf(definition)]) {
    const mapping = mappingOf(definition, property);
    const given = (forms: readonly ValueForm[]): ValueForm | undefined => forms.find((form) => form === mapping.form);
    if (type === 'timestamp') forms.set(property, { kind: 'timestamp', form: given(TIME_FORMS) });
    if (digests.includes(property))
      forms.set(property, {
        kind: 'string',
        form: isBytes(mapping.type as ColumnType) ? DIGEST_BYTES : (given(DIGEST_FORMS) ?? 'hex'),
        assumed,
      });
  }
  return forms;
}

/** The columns of a table that sessions never show. */
export function hiddenOf({ data }: SessionsTableDefinition): readonly string[] {
  return Object.entries<BuiltInColumn>(BUILT_IN_COLUMNS)
    .filter(([, { hidden }]) => hidden === true || (hidden !== undefined && hidden === data))
    .map(([property]) => property);
}

/** The columns that sessions show. */
export function shownColumns(definition: SessionsTableDefinition): DefinedColumn[] {
  const hidden = hiddenOf(definition);
  return [...sessionColumns(definition).columns.values()].filter(({ property }) => !hidden.includes(property));
}

/** The columns that an application may name: all but those that sessions never show. */
export function sessionColumns(definition: SessionsTableDefinition): Columns<DefinedColumn> {
  const builtIn = builtInColumnsOf(definition)
    .filter(([, { hidden, primary }]) => hidden !== true && !primary)
    .map(([property, column]): DefinedColumn => ({
      ...columnOf(definition, property, column),
      ...ownOf(property, definition),
    }));
  const extra = fieldsOf(definition).map(([property, field]): DefinedColumn => {
    const { values, transformer } = field;
    return { ...columnOf(definition, property, field), values, transformer, definition: field };
  });
  return {
    name: tableNameOf(definition),
    columns: new Map([keyColumn(definition), ...extra, ...builtIn].map((column) => [column.property, column])),
    relations: new Set(relationsOf(definition).map(([name]) => name)),
  };
}

function columnOf(
  definition: SessionsTableDefinition,
  property: string,
  { type, length, nullable = false }: Pick<FieldDefinition, 'type' | 'length' | 'nullable'>,
): Column {
  const { type: mapped } = mappingOf(definition, property);
  const usual = mapped === undefined || takesLength(mapped) ? DEFAULT_STRING_LENGTH : undefined;
  const longest = type === 'string' ? (length ?? usual) : undefined;
  return { property, kind: KIND_OF[type], nullable, length: longest, ...(mapped !== undefined && traitsOf(mapped)) };
}

/** The part of the definition that belongs to a built-in column. */
function ownOf(property: string, { scopes }: SessionsTableDefinition): Partial<DefinedColumn> {
  return property === 'scopes' ? { scopes } : {};
}
