import { readFileSync } from 'node:fs';
import { AbstractLogger, DataSource, type EntityMetadata, SelectQueryBuilder } from 'typeorm';
import { ConnectionMetadataBuilder } from 'typeorm/connection/ConnectionMetadataBuilder.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AS_RETURNED } from '../../libs/sessions/src/adapters/typeorm/entity-reader.js';
import { createDatabase, describeDatabases, isMysql, type TestDatabase } from '../support/databases.js';

const INTERNALS = 'libs/sessions/src/adapters/typeorm/internals.ts';

/** What there has to be. */
function found<T>(what: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new Error(`TypeORM has moved ${what}: look where it is now, and say so in ${INTERNALS}`);
}

/** The methods that are called of what is imported. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  ApplyValueTransformers: ['transformTo', 'transformFrom'],
  ConnectionMetadataBuilder: ['buildEntityMetadatas'],
  EntityMetadataBuilder: ['build'],
  EntitySchemaTransformer: ['transform'],
  TableUtils: ['createTableColumnOptions'],
  importClassesFromDirectories: [],
};

const imports = [...readFileSync(INTERNALS, 'utf8').matchAll(/export \{ (\w+) \} from '(typeorm\/[^']+)'/g)].map(
  ([, name, path]) => [name!, path!] as const,
);

type Methods = Readonly<Record<string, unknown>>;

describe('what is imported of TypeORM beyond its index', () => {
  it('is named here', () => {
    expect(imports.map(([name]) => name).toSorted()).toEqual(Object.keys(METHODS));
  });

  it.each(imports)('has %s at %s', async (name, path) => {
    const module = (await import(path).catch(() => ({}))) as Record<string, Methods & { prototype: Methods }>;
    const imported = found(`${name}, which was at ${path}`, module[name]);
    expect(imported).toBeTypeOf('function');
    for (const method of METHODS[name]!) {
      const called = found(`${name}.${method}`, imported[method] ?? imported.prototype[method]);
      expect(called).toBeTypeOf('function');
    }
  });
});

it('what builds the metadata of a data source has the data source, and a query builder says on what it runs', () => {
  const dataSource = new DataSource({ type: 'better-sqlite3', database: ':memory:' });
  const builder = new ConnectionMetadataBuilder(dataSource);
  expect(found('ConnectionMetadataBuilder.dataSource', builder['dataSource'])).toBe(dataSource);
  const { obtainQueryRunner } = SelectQueryBuilder.prototype as unknown as Methods;
  expect(found('SelectQueryBuilder.obtainQueryRunner', obtainQueryRunner)).toBeTypeOf('function');
});

it('what a logger of its own tells of, it says', () => {
  const { isLogEnabledFor } = AbstractLogger.prototype as unknown as Methods;
  expect(found('AbstractLogger.isLogEnabledFor', isLogEnabledFor)).toBeTypeOf('function');
});

describeDatabases('what is used of TypeORM’s driver beyond its interface', (name) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createDatabase(name);
    dataSource = await new DataSource(database.options).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('is that it takes values of some types as they are', () => {
    for (const type of [String, ...AS_RETURNED]) {
      for (const value of ['7', '', 'null', '{"a":1}', '2026-01-01 00:00:00', 7, 0.5, 0, NaN, new Date()]) {
        const taken: unknown = dataSource.driver.prepareHydratedValue(value, {
          type,
        } as EntityMetadata['columns'][number]);
        expect(taken).toBe(value);
      }
    }
  });

  const internals = () => import('../../libs/sessions/src/adapters/typeorm/internals.js');

  it.runIf(name === 'postgres')(
    'is the pool of pg, the messages of its connections, and the form of values',
    async () => {
      const { pgValue, postgresPool } = await internals();
      const pool = found('driver.master, the pool of pg', postgresPool(dataSource));
      const answer = await new Promise((resolve, reject) => {
        pool.connect((error, client, release) => {
          if (error) return reject(error);
          const { connection } = client;
          for (const method of ['parse', 'bind', 'describe', 'execute', 'sync'] as const)
            expect(found(`connection.${method} of pg`, connection[method])).toBeTypeOf('function');
          found('connection.parsedStatements of pg', connection.parsedStatements);
          client.query({ name: 'one', text: 'SELECT $1::int', values: [1], rowMode: 'array' }, (problem, result) => {
            release();
            if (problem) reject(problem);
            else resolve([result, connection.parsedStatements['one']]);
          });
        });
      });
      expect(answer).toMatchObject([{ rows: [[1]], rowCount: 1 }, 'SELECT $1::int']);
      expect(found('utils.prepareValue of pg', pgValue(dataSource))([1, 'a'])).toBe('{"1","a"}');
    },
  );

  it.runIf(name === 'postgres')(
    'is what it sends as a transaction begins, in place of which another one may',
    async () => {
      const { beginBy } = await internals();
      const runner = dataSource.createQueryRunner();
      let count = 0;
      const send = async (): Promise<void> => {
        count++;
      };
      await beginBy(runner, 'READ COMMITTED', send);
      expect([count, runner.isTransactionActive]).toEqual([1, true]);
      const state = 'SELECT now() = statement_timestamp() AS fresh';
      expect(await runner.query(state)).toEqual([{ fresh: true }]);
      await runner.commitTransaction();
      await runner.release();
    },
  );

  it.runIf(isMysql(name))('is the pool of mysql2', async () => {
    const pool = found('driver.pool, the pool of mysql2', (await internals()).mysqlPool(dataSource));
    const rows = await new Promise((resolve, reject) => {
      pool.execute({ sql: 'SELECT ?', rowsAsArray: true }, [1], (error, result) => error ? reject(error) : resolve(result)); // prettier-ignore
    });
    expect(rows).toEqual([[1]]);
  });

  it.runIf(name === 'sqlite')('is the connection of better-sqlite3, and the class of the driver', async () => {
    const { secondDriver, sqliteDriver } = await internals();
    const what = 'driver.databaseConnection, the connection of better-sqlite3';
    const connection = found(what, sqliteDriver(dataSource.driver).databaseConnection);
    expect(connection.prepare('SELECT ?').raw().all(1)).toEqual([[1]]);
    const second = secondDriver(dataSource, { type: 'better-sqlite3', database: ':memory:' });
    await second.connect();
    const other = sqliteDriver(second).databaseConnection;
    expect(other.memory).toBe(true);
    other.close();
  });
});
