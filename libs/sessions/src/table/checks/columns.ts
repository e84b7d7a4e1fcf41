import type { ColumnFacts } from '../../adapters/port/table-facts.js';
import { digestToken } from '../../token/digest.js';
import { CHECKSUM_LENGTH } from '../../token/format.js';
import { builtInColumnsOf, DEFAULT_STRING_LENGTH, digestsOf, formsOf } from '../columns.js';
import { fieldsOf } from '../definition.js';
import { keyColumn } from '../key.js';
import type { Finding, LookedAtTable } from './finding.js';
import {
  columnFilledByTrigger,
  columnGenerated,
  columnMissing,
  columnNeedsNull,
  columnTooShort,
  columnUnknown,
  fieldTakesNull,
  fieldTooShort,
  keyMadeUnseen,
  keyNotMade,
} from './messages.js';

/** The facts about the column of a property. */
function columnOf({ table }: LookedAtTable, property: string): ColumnFacts | undefined {
  const name = table.entity.columns.get(property)?.name;
  return name === undefined ? undefined : table.columns.get(name);
}

/** The columns that the table lacks, except those that it can do without. */
export function missingColumns({ definition, table }: LookedAtTable): Finding[] {
  const builtIn = new Map(builtInColumnsOf(definition));
  return [...table.entity.columns].flatMap(([property, { name, addedBy }]): Finding[] =>
    table.columns.has(name) || builtIn.get(property)?.unnamed
      ? []
      : [{ code: 'columnMissing', text: columnMissing(name), statement: addedBy }],
  );
}

/** The columns that require a value and never get one from sessions. */
function unknownColumns({ table, server }: LookedAtTable): string[] {
  const known = new Set([...table.entity.columns.values()].map(({ name }) => name));
  // Outside strict mode, MySQL fills in a value itself.
  const isStrict = server.sqlMode?.some((mode) => /^(STRICT_|TRADITIONAL)/.test(mode)) ?? true;
  if (!isStrict || /view|foreign/.test(table.kind)) return [];
  return [...table.columns]
    .filter(([name, { nullable, hasDefault, generated }]) => !known.has(name) && !nullable && !hasDefault && !generated)
    .map(([name]) => name);
}

export function requiredColumns(at: LookedAtTable): Finding[] {
  if (at.table.triggers?.length) return [];
  return unknownColumns(at).map((name) => ({ code: 'columnRequired', text: columnUnknown(name) }));
}

/** Like {@link requiredColumns}, if a trigger may fill them. */
export function requiredBesideTriggers(at: LookedAtTable): Finding[] {
  if (!at.table.triggers?.length) return [];
  return unknownColumns(at).map((name) => ({ code: 'columnRequired', text: columnFilledByTrigger(name) }));
}

/** Columns that are null in a new session but do not accept null. */
export function columnsWithoutNull(at: LookedAtTable): Finding[] {
  const { definition, options } = at;
  const given = new Set(['authenticatedAt', ...(options.ttlMs === null ? [] : ['expiresAt'])]);
  return builtInColumnsOf(definition).flatMap(([property, { nullable = false }]): Finding[] => {
    const column = columnOf(at, property);
    return nullable && !given.has(property) && column?.nullable === false
      ? [{ code: 'columnRequired', text: columnNeedsNull(column.name) }]
      : [];
  });
}

export function fieldsWithoutNull(at: LookedAtTable): Finding[] {
  return fieldsOf(at.definition).flatMap(([property, { nullable = false }]): Finding[] => {
    const column = columnOf(at, property);
    return nullable && column?.nullable === false
      ? [{ code: 'columnRequired', text: fieldTakesNull(column.name) }]
      : [];
  });
}

/** Columns that sessions write but only the database may. */
export function generatedColumns(at: LookedAtTable): Finding[] {
  return [...at.table.entity.columns.keys()].flatMap((property): Finding[] => {
    const column = columnOf(at, property);
    const isGenerated = column?.generated === 'expression' || column?.generated === 'always';
    const isAskedFor = property === 'id' && keyColumn(at.definition).generated;
    return isGenerated && !isAskedFor ? [{ code: 'columnGenerated', text: columnGenerated(column.name) }] : [];
  });
}

/** The key column that the database should fill, if nothing fills it. */
function keyWithoutMaker(at: LookedAtTable): ColumnFacts | undefined {
  const column = columnOf(at, 'id');
  return keyColumn(at.definition).generated && !column?.hasDefault && !column?.generated ? column : undefined;
}

/** Whether triggers, or the table behind a view, may fill values unseen. */
function hasHiddenMakers({ table: { kind, triggers = [] } }: LookedAtTable): boolean {
  return kind === 'view' || triggers.length > 0;
}

export function keyNeverMade(at: LookedAtTable): Finding[] {
  const key = keyWithoutMaker(at);
  return key && !hasHiddenMakers(at) ? [{ code: 'keyNotMade', text: keyNotMade(key.name) }] : [];
}

export function keyPerhapsMade(at: LookedAtTable): Finding[] {
  const key = keyWithoutMaker(at);
  return key && hasHiddenMakers(at) ? [{ code: 'keyNotMade', text: keyMadeUnseen(key.name) }] : [];
}

/** The most characters of a column, if the database enforces a limit. */
function limitOf(at: LookedAtTable, property: string): { name: string; length: number } | undefined {
  const column = columnOf(at, property);
  const isText = column !== undefined && /char/.test(column.type);
  // SQLite accepts text of any length.
  if (!isText || column.length === undefined || at.server.product === 'sqlite') return undefined;
  return { name: column.name, length: column.length };
}

/** Columns that are too short for what the library itself writes. */
export function shortColumns(at: LookedAtTable): Finding[] {
  const { definition } = at;
  const digests = digestsOf(definition);
  const forms = formsOf(definition);
  return builtInColumnsOf(definition).flatMap(([property, { type, length = 0 }]): Finding[] => {
    // The adapter checks digest columns in other forms than hexadecimal.
    if (digests.includes(property) && forms.get(property)?.form !== 'hex') return [];
    const needed = digests.includes(property) ? digestLength(at) : type === 'string' ? length : 0;
    const limit = limitOf(at, property);
    return limit && limit.length < needed
      ? [{ code: 'columnTooShort', text: columnTooShort(limit.name, limit.length, needed) }]
      : [];
  });
}

/** Columns that are shorter than their fields say. */
export function shortFields(at: LookedAtTable): Finding[] {
  return fieldsOf(at.definition).flatMap(([property, { type, length = DEFAULT_STRING_LENGTH }]): Finding[] => {
    const limit = limitOf(at, property);
    return type === 'string' && limit && limit.length < length
      ? [{ code: 'columnTooShort', text: fieldTooShort(limit.name, limit.length, length) }]
      : [];
  });
}

/** The characters of the longest digest of the table's schemes. */
function digestLength({ options: { schemes, tokenFormat } }: LookedAtTable): number {
  const { prefix, length } = tokenFormat;
  const token = 'x'.repeat(prefix === undefined ? length : prefix.length + 1 + length + CHECKSUM_LENGTH);
  return Math.max(...schemes.map((scheme) => digestToken(token, scheme).length));
}
