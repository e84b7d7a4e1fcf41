import type { Schema } from '../../adapters/port/query.js';
import { SessionMark } from '../../adapters/port/session-mark.js';
import type { DatabaseFacts, ServerFacts } from '../../adapters/port/table-facts.js';
import type { ResolvedOptions } from '../../options/resolved-options.js';
import { ownerOf, type SessionsTableDefinition } from '../definition.js';
import {
  columnsWithoutNull,
  fieldsWithoutNull,
  generatedColumns,
  keyPerhapsMade,
  keyNeverMade,
  missingColumns,
  requiredBesideTriggers,
  requiredColumns,
  shortColumns,
  shortFields,
} from './columns.js';
import type { Finding, LookedAtTable } from './finding.js';
import { invalidIndexes, missingIndexes, missingUniques, ownersWithoutIndex } from './indexes.js';
import { marksMissing, tableShared } from './messages.js';
import { clock, escapes, isolationLevel, preparedStatements, readOnly, severalWriters, strictness } from './server.js';
import { engine, kindOfTable, longName, policies, refusedName, rowSecurity } from './table.js';

/** Checks for what cannot work. */
const PROBLEMS = [
  kindOfTable,
  policies,
  missingColumns,
  requiredColumns,
  columnsWithoutNull,
  generatedColumns,
  keyNeverMade,
  shortColumns,
  missingUniques,
] satisfies ((at: LookedAtTable) => Finding[])[];

/** Checks for what is slow or unwise. */
const WARNINGS = [
  keyPerhapsMade,
  requiredBesideTriggers,
  fieldsWithoutNull,
  shortFields,
  missingIndexes,
  ownersWithoutIndex,
  invalidIndexes,
  rowSecurity,
  engine,
] satisfies ((at: LookedAtTable) => Finding[])[];

const SERVER_WARNINGS = [clock, readOnly, severalWriters, strictness, isolationLevel];

export interface Findings {
  /** What cannot work. */
  readonly problems: readonly Finding[];
  /** What is slow, or unwise. */
  readonly warnings: readonly Finding[];
}

/** A table of sessions, as the application defines it. */
export interface CheckedTable {
  readonly definition: SessionsTableDefinition;
  readonly entity: Schema;
  readonly options: ResolvedOptions;
}

/** Judges the facts about a table. A table that does not exist yet is no problem, except for its name. */
export function checkTable({ definition, entity, options }: CheckedTable, facts: DatabaseFacts): Findings {
  const { server } = facts;
  const table = facts.tables.get(entity);
  const named = { definition, server };
  const at = table && { ...named, options, table };
  return {
    problems: [
      ...escapes(server),
      ...refusedName(named),
      ...sharedName(entity, facts),
      ...(at ? PROBLEMS.flatMap((check) => check(at)) : []),
    ],
    warnings: [
      ...longName(named),
      ...preparedStatements(facts),
      ...(at ? [...missingMarks(definition, facts), ...WARNINGS.flatMap((check) => check(at))] : []),
    ],
  };
}

/** Reports a missing table of marks, which older databases may lack. */
function missingMarks(definition: SessionsTableDefinition, { tables, unread }: DatabaseFacts): Finding[] {
  const owner = ownerOf(definition);
  if (owner === undefined || unread.length > 0 || tables.has(SessionMark)) return [];
  return [{ code: 'tableMissing', text: marksMissing(owner) }];
}

/** Judges the database of the tables. */
export function checkServer(server: ServerFacts): Finding[] {
  return SERVER_WARNINGS.flatMap((check) => check(server));
}

/** Reports another table that the database takes for the same. */
function sharedName(entity: Schema, { names }: DatabaseFacts): Finding[] {
  const name = names.get(entity);
  // Two tables of exactly the same name are one table registered twice.
  const other = [...names].find(([, { given, stored }]) => stored === name?.stored && given !== name.given);
  return other ? [{ code: 'tableShared', text: tableShared((other[0] as { readonly name: string }).name) }] : [];
}
