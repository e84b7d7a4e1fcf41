import { UnsupportedQueryError } from '../../errors/errors.js';
import type { Condition } from '../query/conditions.js';
import type { Pace } from '../../util/pace.js';
import type { Relations, Row, Schema } from '../port/query.js';
import {
  type Found,
  identityOf,
  type Key,
  type Link,
  linkThrough,
  noRelation,
  planRelations,
  type RelationPlan,
  type WantedLink,
} from '../query/relations.js';
import { accessPath } from './access-path.js';
import type { EntityModel, JoinColumn, Relation } from './entity-model.js';
import type { MemoryTable } from './memory-table.js';
import { loadMemoryRow } from './raw-row.js';
import { type MemoryColumn, type StoredRow } from './stored-row.js';

/** A table, and the entity of its rows. */
export interface OpenTable {
  readonly table: MemoryTable;
  readonly model: EntityModel;
}

type MemoryLink = Link<OpenTable, MemoryColumn>;

/** Finds rows of a table by keys. */
export interface MemoryLookup extends OpenTable, Pick<MemoryLink, 'near' | 'far'> {
  /** The columns of their keys. */
  readonly read: readonly MemoryColumn[];
  /** The columns of their objects; empty for a join table. */
  readonly shown: readonly MemoryColumn[];
}

/** The relations of a query, and the columns from which they start. */
export interface MemoryRelations {
  readonly plans: readonly RelationPlan<MemoryLookup>[];
  readonly columns: readonly MemoryColumn[];
}

/** Compiles the relations of a table. @throws UnsupportedQueryError for one whose columns belong to no entity */
export function memoryRelations(
  open: (schema: Schema) => OpenTable,
  table: OpenTable,
  relations: Relations,
): MemoryRelations {
  const columns: MemoryColumn[] = [];
  const linksOf = (from: OpenTable, wanted: Relations): WantedLink<OpenTable, MemoryColumn>[] =>
    Object.entries(wanted).flatMap(([name, nested]) => {
      if (!nested) return [];
      const relation = from.model.relationList.find(({ property }) => property === name);
      if (!relation) throw noRelation(from.model.name, [name], from.model.relations);
      return [[linkOf(open, from, relation), typeof nested === 'object' ? (nested as Relations) : {}] as const];
    });
  return { plans: planRelations({ linksOf, lookup: lookupOf }, linksOf(table, relations), columns), columns };
}

/** Reads the rows with one of the keys, like TypeORM: without soft-deleted rows, and without hidden columns. */
export async function readRelated(lookup: MemoryLookup, keys: readonly Key[], pace: Pace): Promise<Found[]> {
  const { model, far, read, shown } = lookup;
  const { deletedAt } = model;
  const asked = new Set(keys.map(identityOf));
  const found: Found[] = [];
  for (const { values } of candidates(lookup, keys)) {
    if (pace.isDue) await pace.turn();
    if (deletedAt && values[deletedAt.index] !== null) continue;
    if (!asked.has(identityOf(keyOf(far, values)))) continue;
    found.push({ entity: loadMemoryRow(model, shown, values), key: keyOf(read, values) });
  }
  return found;
}

/** The values of some columns of a row, in a form that is comparable across kinds. */
export function keyOf(columns: readonly MemoryColumn[], values: readonly unknown[]): Key {
  return columns.map(({ index, codec }) => (values[index] === null ? null : codec.decode(values[index])));
}

/** The rows that may have one of the keys, by an index if there is one. */
function candidates({ table, far }: MemoryLookup, keys: readonly Key[]): readonly StoredRow[] {
  const conditions = far.map((column, i): Condition<MemoryColumn> => ({
    kind: 'in',
    subject: { column },
    values: keys.map((key) => key[i]),
  }));
  return [...accessPath(table, { kind: 'and', parts: conditions }, []).rows([])];
}

function lookupOf({ table, near, far, onward }: MemoryLink, read: readonly MemoryColumn[]): MemoryLookup {
  const shown = onward ? [] : [...table.model.columns.values()].filter(({ hidden }) => !hidden);
  return { ...table, near, far, read, shown };
}

function linkOf(open: (schema: Schema) => OpenTable, from: OpenTable, relation: Relation): MemoryLink {
  const { property, type } = relation;
  const table = open(relation.target);
  const attach = (row: object, related: unknown): void => void ((row as Row)[property] = related);
  if (type === 'many-to-many') return linkByJunction(open, from, relation, table, attach);
  const toMany = type === 'one-to-many';
  if (relation.owns) return { table, attach, toMany, ...joined(from.model, relation, table.model) };
  const back = table.model.relationList.find((candidate) => candidate.property === relation.inverse);
  if (!back?.owns) throw columnMissing(from.model.name, property);
  const { near: far, far: near } = joined(table.model, back, from.model);
  return { table, attach, toMany, near, far };
}

/** The columns in which a relation's rows hold the key of another table, and the columns of that key. */
function joined(
  model: EntityModel,
  { property, joinColumns }: Relation,
  target: EntityModel,
): Pick<MemoryLink, 'near' | 'far'> {
  const far = referenced(joinColumns, target);
  const names = joinNames(joinColumns, far, (key) => camelCase(`${property}_${key}`));
  const near = names.map((name) => {
    const column = model.columnNamed(name);
    if (!column) throw columnMissing(model.name, property);
    return column;
  });
  return { near, far };
}

function linkByJunction(
  open: (schema: Schema) => OpenTable,
  from: OpenTable,
  relation: Relation,
  table: OpenTable,
  attach: MemoryLink['attach'],
): MemoryLink {
  const back = table.model.relationList.find(({ property }) => property === relation.inverse);
  const isOwning = relation.junction !== undefined || !back;
  const { name, own, other } = isOwning
    ? junctionOf(from.model, relation, table.model)
    : junctionOf(table.model, back, from.model);
  const between = open(name);
  const columns = (sides: readonly JunctionColumn[]): MemoryColumn[] =>
    sides.map((side) => between.model.columnNamed(side.name)!);
  const keys = (sides: readonly JunctionColumn[]): MemoryColumn[] => sides.map(({ key }) => key);
  const [near, far] = isOwning ? [own, other] : [other, own];
  return linkThrough(
    { table: between, near: keys(near), far: columns(near), attach },
    { table, near: columns(far), far: keys(far) },
  );
}

/** A column of a join table, and the column whose values it holds. */
export interface JunctionColumn {
  readonly name: string;
  readonly key: MemoryColumn;
}

/** The name and columns of a join table, by TypeORM's default naming strategy. */
export function junctionOf(
  model: EntityModel,
  { junction, property }: Relation,
  target: EntityModel,
): { name: string; own: readonly JunctionColumn[]; other: readonly JunctionColumn[] } {
  const columnsOf = (joinColumns: readonly JoinColumn[] = [], side: EntityModel): JunctionColumn[] => {
    const keys = referenced(joinColumns, side);
    const names = joinNames(joinColumns, keys, (key) => camelCase(`${side.name}_${key}`));
    return keys.map((key, i) => ({ key, name: names[i]! }));
  };
  return {
    name: junction?.name ?? snakeCase(`${model.name}_${property}_${target.name}`),
    own: columnsOf(junction?.own, model),
    other: columnsOf(junction?.other, target),
  };
}

/** The columns that join columns refer to: the primary key, unless they name others. */
function referenced(joinColumns: readonly JoinColumn[], target: EntityModel): readonly MemoryColumn[] {
  const named = joinColumns.flatMap(({ referencedColumnName }) => referencedColumnName ?? []);
  return named.length > 0 ? named.map((name) => target.columns.get(name)!) : target.primary;
}

function joinNames(
  joinColumns: readonly JoinColumn[],
  keys: readonly MemoryColumn[],
  byDefault: (key: string) => string,
): string[] {
  return keys.map(({ property }) => {
    const named = joinColumns.find(
      ({ name, referencedColumnName }) => name && (!referencedColumnName || referencedColumnName === property),
    );
    return named?.name ?? byDefault(property);
  });
}

function columnMissing(table: string, relation: string): UnsupportedQueryError {
  return new UnsupportedQueryError(
    `Table "${table}": the relation "${relation}" cannot be loaded in memory: its join column has to be a column of an entity.`,
  );
}

function snakeCase(text: string): string {
  return text.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();
}

function camelCase(text: string): string {
  return text
    .replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
    .replace(/^./, (letter) => letter.toLowerCase());
}
