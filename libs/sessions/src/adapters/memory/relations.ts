import { In, IsNull } from 'typeorm';
import type { FindOptionsRelations, ObjectLiteral } from 'typeorm';
import { UnsupportedQueryError } from '../../errors/errors.js';
import type { Row, Schema, Where } from '../port/query.js';
import type { EntityModel, Relation } from './entity-model.js';

/** The lookups by which relations are loaded. */
export interface Lookup {
  modelOf(schema: Schema): EntityModel;
  find(schema: Schema, where: Where): Row[];
}

type Relations = FindOptionsRelations<ObjectLiteral>;

/**
 * Puts related rows into rows, one lookup for each relation, nested ones included: as TypeORM does, without those that are
 * soft-deleted and without columns that nothing shows.
 */
export function attachRelations(lookup: Lookup, model: EntityModel, rows: readonly Row[], relations: Relations): void {
  for (const [name, nested] of Object.entries(relations)) {
    if (!nested || rows.length === 0) continue;
    const relation = model.relationList.find(({ property }) => property === name);
    if (!relation) throw new UnsupportedQueryError(`Table "${model.name}": "${name}" is no relation.`);
    const related: { readonly row: Row; readonly hidden: readonly string[] }[] = [];
    const find = (schema: Schema, where: Where): Row[] => {
      const { columns, deletedAt } = lookup.modelOf(schema);
      const found = lookup.find(schema, deletedAt ? { ...where, [deletedAt.property]: IsNull() } : where);
      if (typeof nested === 'object') attachRelations(lookup, lookup.modelOf(schema), found, nested as Relations);
      const hidden = [...columns.values()].filter((column) => column.hidden).map(({ property }) => property);
      for (const row of found) related.push({ row, hidden });
      return found;
    };
    load({ ...lookup, find }, model, relation, rows);
    // Not before: a hidden column may be the one that leads to them.
    for (const { row, hidden } of related) for (const name of hidden) delete row[name];
  }
}

function load(lookup: Lookup, model: EntityModel, relation: Relation, rows: readonly Row[]): void {
  const { property, target, type, joinProperty } = relation;
  const targetModel = lookup.modelOf(target);
  const key = model.primary[0]!.property;
  const targetKey = targetModel.primary[0]!.property;
  if (joinProperty !== undefined) {
    const found = byValue(lookup.find(target, { [targetKey]: In(valuesOf(rows, joinProperty)) }), targetKey);
    for (const row of rows) row[property] = found.get(String(row[joinProperty]))?.[0] ?? null;
    return;
  }
  if (type === 'many-to-many') {
    const [links, own, other] = linksOf(lookup, model, relation, targetModel);
    const linked = byValue(lookup.find(links, { [own]: In(valuesOf(rows, key)) }), own);
    const others = [...linked.values()].flat();
    const found = byValue(lookup.find(target, { [targetKey]: In(valuesOf(others, other)) }), targetKey);
    for (const row of rows) {
      row[property] = (linked.get(String(row[key])) ?? []).flatMap((link) => found.get(String(link[other])) ?? []);
    }
    return;
  }
  const back = targetModel.relationList.find((candidate) => candidate.property === relation.inverse)?.joinProperty;
  if (back === undefined) {
    throw new UnsupportedQueryError(
      `Table "${model.name}": the relation "${property}" cannot be loaded in memory: its join column has to be a column of an entity.`,
    );
  }
  const found = byValue(lookup.find(target, { [back]: In(valuesOf(rows, key)) }), back);
  for (const row of rows) {
    const related = found.get(String(row[key])) ?? [];
    row[property] = type === 'one-to-many' ? related : (related[0] ?? null);
  }
}

/** The table between two entities, and the columns of both keys; it belongs to the relation that owns it. */
function linksOf(
  lookup: Lookup,
  model: EntityModel,
  relation: Relation,
  target: EntityModel,
): [Schema, string, string] {
  if (relation.junction) {
    const { name, own, other } = junctionOf(model, relation, target);
    return [name, own, other];
  }
  const owner = target.relationList.find(({ property }) => property === relation.inverse);
  if (!owner?.junction)
    throw new UnsupportedQueryError(`Table "${model.name}": the relation "${relation.property}" has no join table.`);
  const { name, own, other } = junctionOf(target, owner, model);
  return [name, other, own];
}

/** The name and the columns of a join table, as TypeORM's default naming strategy has them. */
export function junctionOf(
  model: EntityModel,
  { junction, property }: Relation,
  target: EntityModel,
): { name: string; own: string; other: string } {
  return {
    name: junction?.name ?? snakeCase(`${model.name}_${property}_${target.name}`),
    own: junction?.own ?? camelCase(`${model.name}_${model.primary[0]!.property}`),
    other: junction?.other ?? camelCase(`${target.name}_${target.primary[0]!.property}`),
  };
}

function valuesOf(rows: readonly Row[], property: string): unknown[] {
  return [...new Set(rows.map((row) => row[property]))].filter((value) => value !== null && value !== undefined);
}

function byValue(rows: readonly Row[], property: string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const value = String(row[property]);
    groups.set(value, [...(groups.get(value) ?? []), row]);
  }
  return groups;
}

function snakeCase(text: string): string {
  return text.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();
}

function camelCase(text: string): string {
  return text
    .replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
    .replace(/^./, (letter) => letter.toLowerCase());
}
