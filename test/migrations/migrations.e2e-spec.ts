import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { DataSourceOptions, MigrationInterface, QueryRunner, Table } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createSessionsTable,
  dropSessionsTable,
  SessionsConfigError,
  SessionsTable,
  type SessionsTableDefinition,
  TypeOrmAdapter,
} from '@app/sessions';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';

@Entity('users')
class User {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'varchar', length: 50 })
  name!: string;
}

@Entity('roles')
class Role {
  @PrimaryGeneratedColumn('increment')
  id!: number;
}

const FIELDS = {
  label: { type: 'string', length: 40, index: true },
  serial: { type: 'string', unique: true },
  note: { type: 'text', nullable: true },
  deviceId: { type: 'uuid', nullable: true },
  visits: { type: 'int', default: 0 },
  bytes: { type: 'bigint', default: '9007199254740993' },
  score: { type: 'number', default: 1.5 },
  trusted: { type: 'boolean', default: false },
  seenAt: { type: 'timestamp', nullable: true, index: true },
  extra: { type: 'json', nullable: true },
  level: { type: 'enum', values: ['low', 'high'], default: 'low' },
} as const;

class Plain extends SessionsTable({ table: 'plain' }) {}
class Full extends SessionsTable({ table: 'full_sessions', extraFields: FIELDS }) {}
class Related extends SessionsTable({
  table: 'related',
  extraFields: {
    userId: { type: 'uuid', index: true },
    user: { manyToOne: () => User, joinColumn: 'userId', onDelete: 'CASCADE' },
    ownerId: { type: 'uuid', nullable: true },
    owner: { oneToOne: () => User, joinColumn: 'ownerId' },
    roles: { manyToMany: () => Role, joinTable: 'related_roles' },
  },
}) {}
class Mapped extends SessionsTable({
  table: 'mapped',
  extraFields: { userId: { type: 'string', index: true } },
  columns: {
    id: 'key',
    authTokenDigest: 'digest',
    expiresAt: 'expires_at',
    createdAt: { name: 'inserted_at' },
    userId: 'user_id',
  },
}) {}
class InSchema extends SessionsTable({ table: 'sessions', schema: 'auth', extraFields: FIELDS }) {}

type AnyTable = Parameters<typeof createSessionsTable>[1];
type TableClass = Extract<AnyTable, { entity: unknown }>;

describeDatabases('PARITY 1.7, migrations', (name) => {
  let database: TestDatabase;
  let opened: DataSource[];

  beforeEach(async () => {
    database = await createDatabase(name);
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(
      opened.filter((dataSource) => dataSource.isInitialized).map((dataSource) => dataSource.destroy()),
    );
    await database.drop();
  });

  const open = async (
    entities: DataSourceOptions['entities'],
    options: Partial<DataSourceOptions> = {},
  ): Promise<DataSource> => {
    const dataSource = await new DataSource({
      ...database.options,
      ...options,
      entities,
    } as DataSourceOptions).initialize();
    opened.push(dataSource);
    return dataSource;
  };

  /** Runs a step of a migration. */
  const migrate = async (dataSource: DataSource, step: (runner: QueryRunner) => Promise<unknown>): Promise<void> => {
    const runner = dataSource.createQueryRunner();
    try {
      await step(runner);
    } finally {
      await runner.release();
    }
  };
  const up = (dataSource: DataSource, table: AnyTable) =>
    migrate(dataSource, (runner) => createSessionsTable(runner, table));
  const down = (dataSource: DataSource, table: AnyTable) =>
    migrate(dataSource, (runner) => dropSessionsTable(runner, table));

  /** What `typeorm migration:generate` would write into a migration. */
  const differences = async (dataSource: DataSource): Promise<string[]> => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  };

  const tableOf = async (dataSource: DataSource, path: string): Promise<Table | undefined> => {
    const runner = dataSource.createQueryRunner();
    try {
      return await runner.getTable(path);
    } finally {
      await runner.release();
    }
  };

  const insertUser = async (dataSource: DataSource): Promise<string> => {
    const user = await dataSource.getRepository(User).save({ name: 'Ann' });
    return user.id;
  };
  const session = () => ({
    id: uuidv7(),
    authTokenDigest: uuidv7(),
    createdAt: new Date(0),
    updatedAt: new Date(0),
  });

  const TABLES: readonly (readonly [string, TableClass, Function[]])[] = [
    ['a table without extra fields', Plain, []],
    ['a table with every type of field, with defaults, indexes, unique and enum ones', Full, []],
    ['a table with relations: foreign keys and a table between', Related, [User, Role]],
    ['a table with mapped columns', Mapped, []],
    ...(name === 'postgres' ? ([['a table in a schema of its own', InSchema, []]] as const) : []),
  ].map(([title, table, others]) => [title as string, table as TableClass, [...(others as Function[])]] as const);

  describe.each(TABLES)('%s', (_title, table, others) => {
    const entities = [...others, table.entity] as DataSourceOptions['entities'];
    const path = [table.definition.schema, table.definition.table].filter(Boolean).join('.');

    /** A data source in whose database all but the table of sessions is there. */
    const openForMigration = async (): Promise<DataSource> => {
      const before = await open(others as DataSourceOptions['entities'], { synchronize: true });
      await before.destroy();
      return open(entities);
    };

    it('goes up, and migration:generate finds no difference afterwards', async () => {
      const dataSource = await openForMigration();
      expect((await differences(dataSource)).join('\n')).toContain(table.definition.table);
      await up(dataSource, table);
      expect(await differences(dataSource)).toEqual([]);
    });

    it('goes up, down and up again, and leaves nothing behind when it is down', async () => {
      const dataSource = await openForMigration();
      const before = await differences(dataSource);
      for (let round = 0; round < 2; round++) {
        await up(dataSource, table);
        expect(await differences(dataSource)).toEqual([]);
        await down(dataSource, table);
        expect(await tableOf(dataSource, path)).toBeUndefined();
        expect(await differences(dataSource)).toEqual(before);
      }
    });

    it('goes up twice, and down twice, and the second time changes nothing', async () => {
      const dataSource = await openForMigration();
      await up(dataSource, table);
      await up(dataSource, table);
      expect(await differences(dataSource)).toEqual([]);
      await down(dataSource, table);
      await down(dataSource, table);
      expect(await tableOf(dataSource, path)).toBeUndefined();
    });

    it('made by synchronize, migration:generate finds no difference, and going up changes nothing', async () => {
      const dataSource = await openForMigration();
      await migrate(dataSource, async (runner) => {
        // TypeORM synchronizes tables, but no schemas.
        if (table.definition.schema !== undefined) await runner.createSchema(table.definition.schema, true);
      });
      await dataSource.synchronize();
      expect(await differences(dataSource)).toEqual([]);
      await up(dataSource, table);
      expect(await differences(dataSource)).toEqual([]);
    });

    it('goes up and down by a plain definition, on a data source that has not its entity', async () => {
      const definition: SessionsTableDefinition = { ...table.definition };
      const before = await openForMigration();
      await before.destroy();
      const dataSource = await open(others as DataSourceOptions['entities']);
      await up(dataSource, definition);
      await up(dataSource, definition);
      expect(await differences(await open(entities))).toEqual([]);
      await down(dataSource, definition);
      expect(await tableOf(dataSource, path)).toBeUndefined();
    });

    it('goes up and down by a migration that TypeORM runs', async () => {
      class CreateSessions1700000000000 implements MigrationInterface {
        up = (runner: QueryRunner): Promise<void> => createSessionsTable(runner, table);
        down = (runner: QueryRunner): Promise<void> => dropSessionsTable(runner, table);
      }
      const before = await openForMigration();
      await before.destroy();
      const dataSource = await open(entities, { migrations: [CreateSessions1700000000000] });
      await dataSource.runMigrations();
      expect(await differences(dataSource)).toEqual([]);
      await dataSource.undoLastMigration();
      expect(await tableOf(dataSource, path)).toBeUndefined();
    });

    it('has an index on expiresAt, a unique digest that is not null, and data that is not null', async () => {
      const dataSource = await openForMigration();
      await up(dataSource, table);
      const made = (await tableOf(dataSource, path))!;
      const nameOf = (property: string): string =>
        dataSource.getMetadata(table.entity).findColumnWithPropertyName(property)!.databaseName;
      const column = (property: string) => made.findColumnByName(nameOf(property))!;
      expect(made.indices.some((index) => index.columnNames.join() === nameOf('expiresAt'))).toBe(true);
      expect(column('authTokenDigest')).toMatchObject({ isUnique: true, isNullable: false });
      expect(column('data')).toMatchObject({ isNullable: false });
      expect(column('expiresAt')).toMatchObject({ isNullable: true });
      expect(column('id')).toMatchObject({ isPrimary: true, isNullable: false });
      for (const property of ['createdAt', 'updatedAt']) expect(column(property)).toMatchObject({ isNullable: false });
    });
  });

  it('rows that were written before the migration ran again are still there', async () => {
    const dataSource = await open([Plain.entity]);
    await up(dataSource, Plain);
    await new TypeOrmAdapter(dataSource).insert(Plain.entity, session());
    await up(dataSource, Plain);
    expect(await dataSource.getRepository(Plain.entity).count()).toBe(1);
  });

  it('the database itself fills in data, and the defaults of the fields', async () => {
    const dataSource = await open([Full.entity]);
    await up(dataSource, Full);
    const returning = ['data', 'visits', 'bytes', 'score', 'trusted', 'level', 'note', 'expiresAt'];
    const row = await new TypeOrmAdapter(dataSource).insert(
      Full.entity,
      { ...session(), label: 'a', serial: 'a' },
      { returning },
    );
    expect(row).toEqual({
      data: {}, visits: 0, bytes: '9007199254740993', score: 1.5, trusted: false, level: 'low', note: null, expiresAt: null,
    }); // prettier-ignore
  });

  it('the database itself refuses a second digest, a second unique value, null and a foreign key that leads nowhere', async () => {
    const dataSource = await open([User, Role, Full.entity, Related.entity], { synchronize: false });
    const before = await open([User, Role], { synchronize: true });
    await before.destroy();
    await up(dataSource, Full);
    await up(dataSource, Related);
    const adapter = new TypeOrmAdapter(dataSource);
    const first = { ...session(), label: 'a', serial: 'a' };
    await adapter.insert(Full.entity, first);
    const again = { ...session(), label: 'b', serial: 'b' };
    await expect(
      adapter.insert(Full.entity, { ...again, authTokenDigest: first.authTokenDigest }),
    ).rejects.toMatchObject({ columns: ['authTokenDigest'] });
    await expect(adapter.insert(Full.entity, { ...again, serial: 'a' })).rejects.toMatchObject({ columns: ['serial'] });
    await expect(adapter.insert(Full.entity, { ...again, label: undefined })).rejects.toThrow();
    await expect(adapter.insert(Related.entity, { ...session(), userId: uuidv7() })).rejects.toThrow();
  });

  it('a foreign key does what onDelete says', async () => {
    const before = await open([User, Role], { synchronize: true });
    await before.destroy();
    const dataSource = await open([User, Role, Related.entity]);
    await up(dataSource, Related);
    const userId = await insertUser(dataSource);
    await new TypeOrmAdapter(dataSource).insert(Related.entity, { ...session(), userId });
    await dataSource.getRepository(User).delete(userId);
    expect(await dataSource.getRepository(Related.entity).count()).toBe(0);
  });

  it('every index and constraint has a name that can be dropped: the next migration renames the table', async () => {
    const dataSource = await open([Full.entity]);
    await up(dataSource, Full);
    await migrate(dataSource, (runner) => runner.renameTable('full_sessions', 'renamed'));
    await up(dataSource, Full);
    expect(await differences(dataSource)).toEqual([]);
  });

  it('a definition that cannot work is refused with every problem, and nothing is made', async () => {
    const dataSource = await open([]);
    const broken = {
      table: 'broken',
      extraFields: { id: { type: 'string' }, level: { type: 'enum' } },
    } as SessionsTableDefinition;
    await expect(up(dataSource, broken)).rejects.toThrow(SessionsConfigError);
    expect(await tableOf(dataSource, 'broken')).toBeUndefined();
  });

  if (name === 'postgres') {
    it('PARITY 1.9: the table of a schema has its indexes there, and dropping it leaves the schema', async () => {
      const dataSource = await open([InSchema.entity]);
      await up(dataSource, InSchema);
      const indexes: { schemaname: string }[] = await dataSource.query(
        `SELECT schemaname FROM pg_indexes WHERE tablename = 'sessions'`,
      );
      expect(new Set(indexes.map(({ schemaname }) => schemaname))).toEqual(new Set(['auth']));
      expect(indexes.length).toBeGreaterThanOrEqual(6);
      await down(dataSource, InSchema);
      expect(await dataSource.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'auth'`)).toHaveLength(1);
    });

    it('a table of the same name in another schema is another table', async () => {
      class Public extends SessionsTable({ table: 'sessions' }) {}
      const dataSource = await open([InSchema.entity, Public.entity]);
      await up(dataSource, InSchema);
      await up(dataSource, Public);
      expect(await differences(dataSource)).toEqual([]);
      await down(dataSource, InSchema);
      expect(await tableOf(dataSource, 'sessions')).toBeDefined();
    });
  }
});
