import type { ColumnType } from 'typeorm';
import { type ColumnKind, kindOf } from '../adapters/port/columns.js';
import { signOf } from '../adapters/port/type-traits.js';
import { builtInColumnsOf, KIND_OF } from './columns.js';
import { type ColumnMapping, fieldsOf, type SessionsTableDefinition } from './definition.js';
import { inColumn, otherValues } from './messages.js';

/** The JavaScript types of each kind of values. Times are missing, since they have forms. */
const VALUES: Readonly<Partial<Record<ColumnKind, string>>> = {
  string: 'text',
  uuid: 'text',
  enum: 'text',
  bigint: 'text',
  decimal: 'text',
  int: 'numbers',
  number: 'numbers',
  boolean: 'booleans',
  json: 'JSON',
};

/** The problem with the type of a column whose sessions would have other values than the definition says, if any. */
export function typeProblems(definition: SessionsTableDefinition, name: string, { type }: ColumnMapping): string[] {
  const field = new Map(fieldsOf(definition)).get(name);
  const column = field ?? new Map(builtInColumnsOf(definition)).get(name);
  // A transformer may return anything.
  if (type === undefined || !column || name === 'id' || field?.transformer) return [];
  const kind = kindOf(typeof type === 'string' ? (signOf(type).type as ColumnType) : type);
  const [given, said] = [VALUES[kind], VALUES[KIND_OF[column.type]]];
  // JSON may be any of them.
  if (given === undefined || said === undefined || given === said || kind === 'json') return [];
  return [inColumn(name, otherValues(type, given, said))];
}
