import type { EntityMetadata, QueryRunner } from 'typeorm';
import { adapt } from '../adapters/typeorm/adapt.js';
import { ConnectionMetadataBuilder } from '../adapters/typeorm/internals.js';
import { SessionsConfigError } from '../errors/errors.js';
import { inTable } from '../errors/messages.js';
import { definitionProblems } from '../table/check-definition.js';
import { type SessionsTableDefinition, tableNameOf } from '../table/definition.js';
import { type AnySessionsTable, tableClassOf } from './sessions-table.js';

/** TypeORM's metadata of the table, and of the join tables of its many-to-many relations. */
export async function metadatasOf(
  queryRunner: QueryRunner,
  table: AnySessionsTable | SessionsTableDefinition,
): Promise<EntityMetadata[]> {
  const metadata = await metadataOf(queryRunner, table);
  adapt(queryRunner.dataSource, metadata);
  return [
    metadata,
    ...metadata.manyToManyRelations
      .filter((relation) => relation.isOwning)
      .map((relation) => relation.junctionEntityMetadata!),
  ];
}

/** TypeORM's metadata of the table. @throws SessionsConfigError for a definition that cannot work */
export async function metadataOf(
  { dataSource }: QueryRunner,
  table: AnySessionsTable | SessionsTableDefinition,
): Promise<EntityMetadata> {
  const { definition, entity } = tableClassOf(table);
  const problems = definitionProblems(definition);
  if (problems.length > 0)
    throw new SessionsConfigError(problems.map((problem) => inTable(tableNameOf(definition), problem)));
  return dataSource.hasMetadata(entity) ? dataSource.getMetadata(entity) : builtMetadata(dataSource, entity);
}

/** The metadata of an entity that the data source lacks, built beside its own, to which it may relate. */
async function builtMetadata(
  dataSource: QueryRunner['dataSource'],
  entity: AnySessionsTable['entity'],
): Promise<EntityMetadata> {
  const others = Object.values(dataSource.options.entities ?? {});
  const all = await new ConnectionMetadataBuilder(dataSource).buildEntityMetadatas([...others, entity] as never);
  return all.find((metadata) => metadata.target === entity)!;
}
