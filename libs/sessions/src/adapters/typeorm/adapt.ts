import type { ColumnType, DataSource, EntityMetadata } from 'typeorm';
import { SessionsConfigError } from '../../errors/errors.js';
import { ofTable } from '../../errors/messages.js';
import { isBytes } from '../port/columns.js';
import { formOf } from '../port/forms.js';
import { isAssumedDigest } from '../port/value-forms.js';
import { LONGEST_DIGEST } from '../../token/digest.js';
import { type Ask, readColumnType, type SizedType } from './column-state.js';
import { compareExactly } from './exact-text.js';
import { madeOtherwise } from './messages.js';
import { isMysqlItself } from './mysql-itself.js';

type ColumnMetadata = EntityMetadata['columns'][number];

/** The types of digests in a new table, by type of data source. */
const DIGEST_TYPES: Readonly<Record<string, SizedType>> = {
  postgres: { type: 'bytea' },
  mysql: { type: 'varbinary', length: LONGEST_DIGEST },
  mariadb: { type: 'varbinary', length: LONGEST_DIGEST },
  'better-sqlite3': { type: 'blob' },
};

/**
 * Adapts the tables that TypeORM creates for an entity to their database. TypeORM tells a class that looks like its
 * `BaseEntity` its data source before it creates tables; before that, the database is unknown.
 */
export function adaptWhenKnown(entity: new () => object): void {
  const isNone = (): never => {
    throw new TypeError('Rows of sessions are no active records.');
  };
  Object.defineProperties(entity, {
    hasId: { value: isNone },
    save: { value: isNone },
    useDataSource: {
      value(dataSource: DataSource) {
        adapt(dataSource, dataSource.getMetadata(entity));
        keepAsFound(dataSource);
      },
    },
  });
}

/** Changes the metadata of an entity to that of a new table. */
export function adapt(dataSource: DataSource, metadata: EntityMetadata): void {
  const type = DIGEST_TYPES[dataSource.options.type];
  for (const column of digestsIn(metadata)) if (type) take(dataSource, column, type);
  compareExactly(dataSource, metadata.columns);
  if (isMysqlItself(dataSource.driver)) leaveOutDefaults(dataSource, metadata.columns);
}

/** Types for which MySQL, unlike MariaDB, allows no default value. The library itself writes one into each row. */
const WITHOUT_DEFAULT = /^json$|text$/;

function leaveOutDefaults({ driver }: DataSource, columns: readonly ColumnMetadata[]): void {
  for (const column of columns) if (WITHOUT_DEFAULT.test(driver.normalizeType(column))) column.default = undefined;
}

/**
 * Changes the metadata of an entity to the digest types that its table has. Otherwise TypeORM would replace those
 * columns by empty ones.
 *
 * @param typeOf the type of a column; `undefined` if the table lacks it
 */
export function adaptToTable(
  dataSource: DataSource,
  metadata: EntityMetadata,
  typeOf: (column: string) => SizedType | undefined,
): void {
  const digests = digestsIn(metadata).map((column) => [column, typeOf(column.databaseName)] as const);
  // A missing column gets the type of the other one.
  const other = digests.find(([, found]) => found)?.[1];
  for (const [column, found = other] of digests) if (found) take(dataSource, column, found);
}

/** Like {@link adaptToTable}, for a table that was not checked. */
export async function adaptToCatalogue(dataSource: DataSource, metadata: EntityMetadata): Promise<void> {
  const types = new Map<string, SizedType>();
  for (const column of digestsIn(metadata)) {
    const type = await readColumnType(dataSource, column);
    if (type) types.set(column.databaseName, type);
  }
  adaptToTable(dataSource, metadata, (column) => types.get(column));
}

/**
 * Whether a table exists, with digests in the form that its metadata says. In another form, lookups would find nobody.
 *
 * @throws SessionsConfigError if the table has another form
 */
export async function isAsAdapted(dataSource: DataSource, metadata: EntityMetadata, ask: Ask): Promise<boolean> {
  const columns = digestsIn(metadata);
  let isThere = columns.length === 0;
  for (const column of columns) {
    const found = await readColumnType(dataSource, column, ask);
    if (!found) continue;
    isThere = true;
    if (isBytes(found.type as ColumnType) !== isBytes(column.type))
      throw new SessionsConfigError([ofTable(metadata.tableName, madeOtherwise(column.databaseName, found.type))]);
  }
  return isThere;
}

/** The digest columns that follow their table. */
function digestsIn({ columns, target }: EntityMetadata): ColumnMetadata[] {
  return columns.filter(({ propertyPath }) => isAssumedDigest(formOf(target, propertyPath) ?? {}));
}

function take(dataSource: DataSource, column: ColumnMetadata, { type, length }: SizedType): void {
  column.type = type as ColumnType;
  column.length = length === undefined ? '' : String(length);
  if (isBytes(column.type)) column.collation = undefined;
  else compareExactly(dataSource, [column]);
}

/** The data sources whose schema builders check tables first. */
const KEEPING = new WeakSet<object>();

/** Makes `synchronize` and `migration:generate` leave digest columns as they are. */
function keepAsFound(dataSource: DataSource): void {
  const { driver } = dataSource;
  if (KEEPING.has(driver) || !DIGEST_TYPES[dataSource.options.type]) return;
  KEEPING.add(driver);
  const createSchemaBuilder = driver.createSchemaBuilder.bind(driver);
  const look = async (): Promise<void> => {
    for (const metadata of dataSource.entityMetadatas) await adaptToCatalogue(dataSource, metadata);
  };
  driver.createSchemaBuilder = () => {
    const builder = createSchemaBuilder();
    return {
      build: async () => look().then(async () => builder.build()),
      log: async () => look().then(async () => builder.log()),
    };
  };
}
