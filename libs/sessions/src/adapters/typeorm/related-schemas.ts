import {
  type DataSource,
  type EntityMetadata,
  type EntitySchema,
  getMetadataArgsStorage,
  InstanceChecker,
} from 'typeorm';
import {
  ConnectionMetadataBuilder,
  EntityMetadataBuilder,
  EntitySchemaTransformer,
  importClassesFromDirectories,
} from './internals.js';

type Entities = Parameters<ConnectionMetadataBuilder['buildEntityMetadatas']>[0];
type MetadataArgs = ReturnType<typeof getMetadataArgsStorage>;

const ENTITIES = new WeakSet<object>();
let isTaught = false;

/**
 * Lets an entity class relate to schemas, and schemas to it. TypeORM builds classes and schemas separately, so neither
 * finds the other. If that fails in a data source with such an entity, they are built together; other data sources are
 * not affected.
 */
export function relateToSchemas(entity: Function): void {
  ENTITIES.add(entity);
  if (isTaught) return;
  isTaught = true;
  const { prototype } = ConnectionMetadataBuilder;
  // oxlint-disable-next-line typescript/unbound-method -- it is called on the builder that it is of
  const buildApart = prototype.buildEntityMetadatas;
  prototype.buildEntityMetadatas = async function (entities) {
    try {
      return await buildApart.call(this, entities);
    } catch (error) {
      const dataSource = this['dataSource'];
      const all = await loadEntities(dataSource, entities);
      const schemas = all.filter((one) => InstanceChecker.isEntitySchema(one));
      if (schemas.length === 0 || !all.some((one) => ENTITIES.has(one))) throw error;
      return buildTogether(dataSource, all, schemas);
    }
  };
}

async function loadEntities(dataSource: DataSource, entities: Entities): Promise<(Function | EntitySchema)[]> {
  const all = Object.values(entities);
  const folders = all.filter((one) => typeof one === 'string');
  const given = all.filter((one) => typeof one !== 'string');
  const loaded = folders.length > 0 ? await importClassesFromDirectories(dataSource.logger, folders) : [];
  return [...given, ...loaded];
}

function buildTogether(
  dataSource: DataSource,
  all: readonly (Function | EntitySchema)[],
  schemas: EntitySchema[],
): EntityMetadata[] {
  const classes = getMetadataArgsStorage();
  const others = new EntitySchemaTransformer().transform(schemas);
  const args = Object.assign(Object.create(Object.getPrototypeOf(classes) as object) as MetadataArgs, classes);
  for (const [name, list] of Object.entries(others) as [keyof MetadataArgs, unknown[]][])
    Object.assign(args, { [name]: [...(classes[name] as unknown[]), ...list] });
  const targets = all.map((one) =>
    InstanceChecker.isEntitySchema(one) ? (one.options.target ?? one.options.name) : one,
  );
  return new EntityMetadataBuilder(dataSource, args).build(targets as Function[]);
}
