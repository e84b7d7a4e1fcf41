import type { ColumnType, EntityMetadata, QueryRunner } from 'typeorm';
import { SessionsConfigError } from '../../../errors/errors.js';
import { inTable } from '../../../errors/messages.js';
import { isBytes } from '../../port/columns.js';
import { formOf } from '../../port/forms.js';
import type { Ask } from '../catalogue/catalogue.js';
import { fullTypeOf } from '../column-state.js';
import { dialectOf } from '../dialects/index.js';
import { namesOf } from '../sql-table.js';
import type { Conversion, DigestColumn, DigestIndex } from './conversion.js';
import { columnLacking, inBase64, NO_PLAIN_TABLE, sameName, TABLE_MISSING } from './messages.js';

type ColumnMetadata = EntityMetadata['columns'][number];

/**
 * A conversion between the digest columns of two definitions of a table, as the table is now.
 *
 * @param properties those of the digests
 * @throws SessionsConfigError for a table that cannot be converted
 */
export async function readConversion(
  queryRunner: QueryRunner,
  before: EntityMetadata,
  after: EntityMetadata,
  properties: readonly string[],
): Promise<Conversion> {
  const { dataSource } = queryRunner;
  const { catalogue } = dialectOf(dataSource);
  const ask: Ask = async (text, values) => queryRunner.query(text, [...values]);
  const names = namesOf(dataSource, after);
  const [table] = await catalogue.tables(ask, [names]);
  if (!table) throw refusal(after, TABLE_MISSING);
  if (table.kind !== 'table' || table.inherited) throw refusal(after, NO_PLAIN_TABLE);
  const quote = (name: string): string => dataSource.driver.escape(name);
  const columnOf = (metadata: EntityMetadata, property: string): DigestColumn => {
    const column = metadata.findColumnWithPropertyPath(property)!;
    const name = column.databaseName;
    const key = catalogue.canonical(name);
    const facts = [...table.columns.values()].find((one) => catalogue.canonical(one.name) === key);
    const bytes = isBytes((facts?.type ?? column.type) as ColumnType);
    if (!bytes && formOf(metadata.target, property)?.form === 'base64url') throw refusal(after, inBase64(name));
    return { name, sql: quote(name), bytes, facts, type: typeOf(queryRunner, column) };
  };
  const pairs = properties.map((property) => {
    const [from, to] = [columnOf(before, property), columnOf(after, property)];
    if (from.name === to.name) throw refusal(after, sameName(property, to.name));
    if (!from.facts && !to.facts) throw refusal(after, columnLacking(from.name));
    return { from, to, required: !after.findColumnWithPropertyPath(property)!.isNullable };
  });
  return {
    path: names.path,
    key: quote(after.primaryColumns[0]!.databaseName),
    pairs,
    indexes: indexesIn(after, properties),
    found: table.indexes ?? [],
    triggers: table.triggers ?? [],
    times: [...table.columns.values()]
      .filter(({ type, generated }) => /^(timestamp|datetime)/.test(type) && !generated)
      .map(({ name }) => quote(name)),
    quote,
  };
}

/** The problem of a table, as an error. */
export function refusal({ tableName }: EntityMetadata, problem: string): SessionsConfigError {
  return new SessionsConfigError([inTable(tableName, problem)]);
}

function typeOf({ dataSource }: QueryRunner, column: ColumnMetadata): string {
  const collation = column.collation ? ` COLLATE ${column.collation}` : '';
  return fullTypeOf(dataSource, column) + collation;
}

/** The indexes and unique constraints on single columns of digests. */
function indexesIn({ uniques, indices }: EntityMetadata, properties: readonly string[]): DigestIndex[] {
  const constraints = uniques.map(({ name, columns }) => ({ name, columns, unique: true, constraint: true }));
  const others = indices.map(({ name, columns, isUnique: unique }) => ({ name, columns, unique, constraint: false }));
  return [...constraints, ...others]
    .filter(({ columns }) => columns.length === 1 && properties.includes(columns[0]!.propertyPath))
    .map(({ columns, ...index }) => ({ ...index, column: columns[0]!.databaseName }));
}
