import type { DataSource, EntityMetadata } from 'typeorm';
import { reasonOf } from '../../errors/reason-of.js';
import type { DatabaseFacts, TableFacts } from '../port/table-facts.js';
import type { Schema } from '../port/query.js';
import type { Ask, NamedTable } from './catalogue/catalogue.js';
import type { Connection } from './connection.js';
import { sqlNameOf } from './sql-table.js';

/** Looks at tables, and at those that their relations lead to, in the catalogue of the database. */
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
  const unread: string[] = [];
  const [server, tables] = await connection.checkout(async (one) => {
    const ask: Ask = async (text, values) => {
      try {
        return (await one.run(text, [...values])).records as never;
      } catch (error) {
        unread.push(reasonOf(error));
        return undefined;
      }
    };
    const settings = await catalogue.server(ask, await one.processId());
    const names = entries.map(([, metadata]) => namesOf(dataSource, metadata));
    return [settings, await catalogue.tables(ask, names)] as const;
  });
  const found = entries.flatMap(([schema, metadata], i): [Schema, TableFacts][] => {
    const facts = tables[i];
    return facts ? [[schema, named(facts, metadata, catalogue.canonical)]] : [];
  });
  return { server, tables: new Map(found), unread };
}

/** The tables that relations of these lead to, at any distance. */
function related(metadatas: Iterable<EntityMetadata>): EntityMetadata[] {
  const all = new Set(metadatas);
  // What is added while it goes on comes too.
  for (const { relations } of all) {
    for (const { inverseEntityMetadata, junctionEntityMetadata } of relations) {
      all.add(inverseEntityMetadata);
      if (junctionEntityMetadata) all.add(junctionEntityMetadata);
    }
  }
  return [...all];
}

export function namesOf(dataSource: DataSource, metadata: EntityMetadata): NamedTable {
  const { database, tableName } = dataSource.driver.parseTableName(metadata);
  return { path: sqlNameOf(dataSource, metadata), database, table: tableName };
}

/** What is known of a table, with the names of columns as its entity has them. */
function named(facts: TableFacts, { columns }: EntityMetadata, canonical: (name: string) => string): TableFacts {
  const names = new Map(columns.map(({ databaseName }) => [canonical(databaseName), databaseName]));
  const nameOf = (name: string): string => names.get(canonical(name)) ?? name;
  return {
    ...facts,
    columns: new Map([...facts.columns.values()].map((column) => [nameOf(column.name), column])),
    primary: facts.primary.map(nameOf),
    ...(facts.indexes && {
      indexes: facts.indexes.map((index) => ({
        ...index,
        columns: index.columns.map((name) => (name === null ? null : nameOf(name))),
      })),
    }),
  };
}
