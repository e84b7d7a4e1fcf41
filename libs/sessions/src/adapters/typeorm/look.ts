import type { DataSource, EntityMetadata } from 'typeorm';
import { reasonOf } from '../../errors/reason-of.js';
import { formOf } from '../port/forms.js';
import type { ColumnFacts, DatabaseFacts, EntityNames, TableFacts } from '../port/table-facts.js';
import type { Schema } from '../port/query.js';
import { adaptToTable } from './adapt.js';
import { type Ask, type Catalogue, type FoundTable, known, type QuotedColumns } from './catalogue/catalogue.js';
import { columnAddedBy } from './column-state.js';
import type { Connection } from './connection.js';
import { namesOf, sqlNameOf } from './sql-table.js';

/**
 * Reads the catalogue's facts about tables, and those that their relations lead to.
 *
 * @throws SessionsUnavailableError if the database accepts no connection
 */
export async function lookAt(
  connection: Connection,
  schemas: ReadonlyMap<Schema, EntityMetadata>,
): Promise<DatabaseFacts> {
  const { dataSource } = connection;
  const { catalogue } = connection.dialect;
  const asked = new Map([
    ...schemas,
    ...related(schemas.values()).map((metadata) => [metadata.target, metadata] as const),
  ]);
  const entries = [...asked];
  const named = entries.map(([, metadata]) => namesOf(dataSource, metadata));
  const unread: string[] = [];
  const times = entries.map(([, { columns, target }]) =>
    columns.filter(({ propertyPath }) => formOf(target, propertyPath)?.kind === 'timestamp'),
  );
  const [server, tables, timeForms] = await connection.checkout(async (one) => {
    const ask: Ask = async (text, values, failed = (error) => unread.push(reasonOf(error))) => {
      try {
        return (await one.run(text, [...values])).records as never;
      } catch (error) {
        failed(error);
        return undefined;
      }
    };
    await one.connect();
    const settings = await catalogue.server(ask);
    const found = [...(await catalogue.tables(ask, named))];
    const quoted = named.map(({ path }, i) => quotedColumns(dataSource, path, found[i] ? times[i]! : []));
    for (const [i, [schema, metadata]] of entries.entries()) {
      if (found[i]?.kind !== 'view' || !schemas.has(schema) || !catalogue.changeable) continue;
      const columns = columnsIn(metadata, found[i], catalogue);
      const changeable = await catalogue.changeable(ask, quotedColumns(dataSource, named[i]!.path, columns));
      found[i] = { ...found[i], changeable };
    }
    return [settings, found, await catalogue.times?.(ask, quoted)] as const;
  });
  const found = entries.flatMap(([schema, metadata], i): [Schema, TableFacts][] => {
    const facts = tables[i];
    const forms = new Map(times[i]!.map(({ databaseName }, at) => [databaseName, timeForms?.[i]?.[at]]));
    return facts ? [[schema, tableFacts(dataSource, metadata, facts, catalogue, forms)]] : [];
  });
  const names = [...schemas].map(([schema, { tablePath }]) => {
    const stored = tablePath.split('.').map(catalogue.canonical).join('.');
    return [schema, { given: tablePath, stored }] as const;
  });
  return { server, tables: new Map(found), names: new Map(names), unread };
}

/** The tables that these relate to, directly or indirectly. */
function related(metadatas: Iterable<EntityMetadata>): EntityMetadata[] {
  const all = new Set(metadatas);
  // Iterates over additions, too.
  for (const { relations } of all) {
    for (const { inverseEntityMetadata, junctionEntityMetadata } of relations) {
      all.add(inverseEntityMetadata);
      if (junctionEntityMetadata) all.add(junctionEntityMetadata);
    }
  }
  return [...all];
}

/** The columns of an entity that its table has. */
function columnsIn(
  { columns }: EntityMetadata,
  found: FoundTable,
  { canonical }: Catalogue,
): EntityMetadata['columns'] {
  const names = new Set([...found.columns.keys()].map(canonical));
  return columns.filter(({ databaseName }) => names.has(canonical(databaseName)));
}

function quotedColumns({ driver }: DataSource, path: string, columns: EntityMetadata['columns']): QuotedColumns {
  return { path, columns: columns.map(({ databaseName }) => driver.escape(databaseName)) };
}

/** The facts about a table, with columns by the names in its entity. @param forms the forms of its time columns */
function tableFacts(
  dataSource: DataSource,
  metadata: EntityMetadata,
  found: FoundTable,
  { canonical, createIndex }: Catalogue,
  forms: ReadonlyMap<string, ColumnFacts['times']>,
): TableFacts {
  const names = new Map(metadata.columns.map(({ databaseName }) => [canonical(databaseName), databaseName]));
  const nameOf = (name: string): string => names.get(canonical(name)) ?? name;
  const { indexes } = found;
  const columns = new Map([...found.columns.values()].map((column) => [nameOf(column.name), column]));
  adaptToTable(dataSource, metadata, (column) => columns.get(column));
  return {
    ...found,
    entity: entityNames(dataSource, metadata, found.kind === 'partitioned' ? undefined : createIndex),
    columns: new Map(
      Array.from(columns, ([name, column]) => [name, { ...column, ...known({ times: forms.get(name) }) }]),
    ),
    primary: found.primary.map(nameOf),
    ...(indexes && {
      indexes: indexes.map((index) => ({ ...index, columns: index.columns.map((name) => name && nameOf(name)) })),
    }),
  };
}

function entityNames(dataSource: DataSource, metadata: EntityMetadata, index = 'INDEX'): EntityNames {
  const { driver } = dataSource;
  const path = sqlNameOf(dataSource, metadata);
  const columns = metadata.columns.filter(({ isVirtual }) => !isVirtual || metadata.isJunction);
  const unique = metadata.uniques.map((one) => ({ ...one, isUnique: true }));
  return {
    path,
    columns: new Map(
      columns.map((column) => [
        column.propertyPath,
        { name: column.databaseName, addedBy: columnAddedBy(dataSource, column) },
      ]),
    ),
    indexes: [...unique, ...metadata.indices].map(({ name, columns: indexed, isUnique }) => {
      const listed = indexed.map(({ databaseName }) => driver.escape(databaseName)).join(', ');
      return {
        columns: indexed.map(({ databaseName }) => databaseName),
        unique: isUnique,
        addedBy: `CREATE ${isUnique ? 'UNIQUE ' : ''}${index} ${driver.escape(name)} ON ${path} (${listed})`,
      };
    }),
  };
}
