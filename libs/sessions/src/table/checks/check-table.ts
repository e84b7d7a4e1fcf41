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

/** What cannot work. */
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

/** What is slow, or unwise. */
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

/** A table of sessions, as the application has it. */
export interface CheckedTable {
  readonly definition: SessionsTableDefinition;
  readonly entity: Schema;
  readonly options: ResolvedOptions;
}

/** Judges what a look has found of a table. A table that is not there yet is no problem, but for its name. */
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

/** The table of marks, which one from before may lack. */
function missingMarks(definition: SessionsTableDefinition, { tables, unread }: DatabaseFacts): Finding[] {
  const owner = ownerOf(definition);
  if (owner === undefined || unread.length > 0 || tables.has(SessionMark)) return [];
  return [{ code: 'tableMissing', text: marksMissing(owner) }];
}

/** Judges the database that tables are in. */
export function checkServer(server: ServerFacts): Finding[] {
  return SERVER_WARNINGS.flatMap((check) => check(server));
}

/** Another table that is the same to the database. */
function sharedName(entity: Schema, { names }: DatabaseFacts): Finding[] {
  const name = names.get(entity);
  // Two of exactly the same name are one table registered twice.
  const other = [...names].find(([, { given, stored }]) => stored === name?.stored && given !== name.given);
  return other ? [{ code: 'tableShared', text: tableShared((other[0] as { readonly name: string }).name) }] : [];
}
