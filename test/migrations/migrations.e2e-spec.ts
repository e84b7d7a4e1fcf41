import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Column, type DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it } from 'vitest';
import {
  createSessionsTable,
  dropSessionsTable,
  SessionsConfigError,
  SessionsModule,
  SessionsTable,
  type SessionsTableDefinition,
  TypeOrmAdapter,
} from '@app/sessions';
import { describeDatabases } from '../support/databases.js';
import { differences, down, migrate, MigrationFixture, type TableClass, tableOf, up } from './migration-fixture.js';
import { digestOf } from '../support/digest.js';

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
  visits: { type: 'int', default: -3 },
  bytes: { type: 'bigint', default: '9007199254740993' },
  balance: { type: 'bigint', default: -5n },
  score: { type: 'number', default: 1.5 },
  trusted: { type: 'boolean', default: true },
  origin: { type: 'string', default: '' },
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
/** Every column that a definition can ask for. */
const EVERY_OPTION = {
  ownLimits: true,
  lastUse: { ip: true, userAgent: true },
  revocation: { reasons: ['fraud'] },
  rotation: true,
  freshness: true,
  scopes: ['posts:read'],
  sessionLimits: { userId: { max: 3 } },
} as const;
class Optional extends SessionsTable({
  ...EVERY_OPTION,
  table: 'optional',
  extraFields: { userId: { type: 'string', index: true } },
}) {}
class MappedOptional extends SessionsTable({
  ...EVERY_OPTION,
  table: 'mapped_optional',
  extraFields: { userId: { type: 'string' } },
  columns: {
    idleTtl: 'idle_ttl',
    absoluteExpiresAt: 'absolute_expires_at',
    lastUsedAt: 'last_used_at',
    lastUsedIp: 'last_used_ip',
    lastUsedUserAgent: 'last_used_user_agent',
    revokedAt: 'revoked_at',
    revokedReason: 'revoked_reason',
    previousTokenDigest: 'previous_digest',
    rotatedAt: 'rotated_at',
    authenticatedAt: 'authenticated_at',
    scopes: 'grants',
  },
}) {}
/** A table before, and after, its application has come to want every option. */
class Before extends SessionsTable({ table: 'grown', extraFields: { userId: { type: 'string' } } }) {}
class After extends SessionsTable({
  ...EVERY_OPTION,
  table: 'grown',
  extraFields: { userId: { type: 'string' } },
}) {}
class InSchema extends SessionsTable({ table: 'sessions', schema: 'auth', extraFields: FIELDS }) {}
class Public extends SessionsTable({ table: 'sessions', extraFields: FIELDS }) {}
/** Defaults that TypeORM writes as they are, and so wrongly, into a statement, or does not find again. */
class Quoted extends SessionsTable({
  table: 'quoted',
  extraFields: {
    quote: { type: 'string', default: "it's" },
    backslash: { type: 'string', default: 'a\\' },
    emoji: { type: 'string', default: '😀' },
    huge: { type: 'number', default: 1e21 },
    tiny: { type: 'number', default: 1e-7 },
    at: { type: 'timestamp', default: new Date(0) },
    tags: { type: 'json', default: ["it's"] },
  },
}) {}

/** How a migration behaves, whatever the table. */
function describeTable(fixture: MigrationFixture, table: TableClass, others: (new () => object)[] = []): void {
  const entities = [...others, table.entity];
  const path = [table.definition.schema, table.definition.table].filter(Boolean).join('.');

  it('goes up, and migration:generate finds no difference afterwards', async () => {
    const dataSource = await fixture.openBeside(others, entities);
    expect((await differences(dataSource)).join('\n')).toContain(table.definition.table);
    await up(dataSource, table);
    expect(await differences(dataSource)).toEqual([]);
  });

  it('goes up, down and up again, and leaves nothing behind when it is down', async () => {
    const dataSource = await fixture.openBeside(others, entities);
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
    const dataSource = await fixture.openBeside(others, entities);
    await up(dataSource, table);
    await up(dataSource, table);
    expect(await differences(dataSource)).toEqual([]);
    await down(dataSource, table);
    await down(dataSource, table);
    expect(await tableOf(dataSource, path)).toBeUndefined();
  });

  it('made by synchronize, migration:generate finds no difference, and going up changes nothing', async () => {
    const dataSource = await fixture.openBeside(others, entities);
    const { schema } = table.definition;
    // TypeORM synchronizes tables, but no schemas.
    if (schema !== undefined) await migrate(dataSource, (runner) => runner.createSchema(schema, true));
    await dataSource.synchronize();
    expect(await differences(dataSource)).toEqual([]);
    await up(dataSource, table);
    expect(await differences(dataSource)).toEqual([]);
  });

  it('goes up and down by a plain definition, on a data source that has not its entity', async () => {
    const definition: SessionsTableDefinition = { ...table.definition };
    const dataSource = await fixture.openBeside(others, others);
    await up(dataSource, definition);
    await up(dataSource, definition);
    expect(await differences(await fixture.open(entities))).toEqual([]);
    await down(dataSource, definition);
    expect(await tableOf(dataSource, path)).toBeUndefined();
  });

  it('goes up and down by a migration that TypeORM runs', async () => {
    class CreateSessions1700000000000 implements MigrationInterface {
      up = (runner: QueryRunner): Promise<void> => createSessionsTable(runner, table);
      down = (runner: QueryRunner): Promise<void> => dropSessionsTable(runner, table);
    }
    const dataSource = await fixture.openBeside(others, entities, { migrations: [CreateSessions1700000000000] });
    await dataSource.runMigrations();
    expect(await differences(dataSource)).toEqual([]);
    await dataSource.undoLastMigration();
    expect(await tableOf(dataSource, path)).toBeUndefined();
  });

  it('has an index on expiresAt, a unique digest that is not null, and data that is not null', async () => {
    const dataSource = await fixture.openBeside(others, entities);
    await up(dataSource, table);
    const made = (await tableOf(dataSource, path))!;
    const metadata = dataSource.getMetadata(table.entity);
    const nameOf = (property: string) => metadata.findColumnWithPropertyName(property)!.databaseName;
    const column = (property: string) => made.findColumnByName(nameOf(property));
    expect(made.indices.flatMap((index) => index.columnNames)).toContain(nameOf('expiresAt'));
    expect(column('id')).toMatchObject({ isPrimary: true, isNullable: false });
    expect(column('authTokenDigest')).toMatchObject({ isUnique: true, isNullable: false });
    expect(column('expiresAt')).toMatchObject({ isNullable: true });
    for (const name of ['data', 'createdAt', 'updatedAt']) expect(column(name)).toMatchObject({ isNullable: false });
  });
}

/** Does something with the service of a table that is there already. */
async function withService<S extends object, T>(
  dataSource: DataSource,
  table: TableClass & Type<S>,
  act: (sessions: S) => Promise<T>,
): Promise<T> {
  const adapter = new TypeOrmAdapter(dataSource);
  const module = await Test.createTestingModule({
    imports: [SessionsModule.forRoot({ adapter, pruning: false }), SessionsModule.forFeature(table)],
  }).compile();
  await module.init();
  try {
    return await act(module.get(table));
  } finally {
    await module.close();
  }
}

/** What not every database fills in by itself. */
function row(): { id: string; authTokenDigest: string; data: object; createdAt: Date; updatedAt: Date } {
  const [createdAt, updatedAt] = [new Date(0), new Date(0)];
  return { id: uuidv7(), authTokenDigest: digestOf(uuidv7()), data: {}, createdAt, updatedAt };
}

const insert = (dataSource: DataSource, table: TableClass, values: object, returning: string[] = []) =>
  new TypeOrmAdapter(dataSource).insert(table.entity, { ...row(), ...values }, { returning });

describeDatabases('PARITY 1.7, migrations', (name) => {
  const fixture = new MigrationFixture(name);

  describe('a table without extra fields', () => describeTable(fixture, Plain));
  describe('a table with every type of field, defaults and indexes', () => describeTable(fixture, Full));
  describe('a table with foreign keys and a table between', () => describeTable(fixture, Related, [User, Role]));
  describe('a table with mapped columns', () => describeTable(fixture, Mapped));
  describe('a table with defaults that are no plain text', () => describeTable(fixture, Quoted));
  describe('a table with every column that can be asked for', () => describeTable(fixture, Optional));
  describe('a table with every such column, mapped', () => describeTable(fixture, MappedOptional));

  it('has indexes on when sessions were revoked and on the token before, and only where these are', async () => {
    const dataSource = await fixture.open([Optional.entity, Plain.entity]);
    await up(dataSource, Optional);
    await up(dataSource, Plain);
    const indexed = async (table: string) =>
      (await tableOf(dataSource, table))!.indices.map(({ columnNames }) => columnNames.toSorted().join());
    expect((await indexed('optional')).toSorted()).toEqual(
      expect.arrayContaining(['previousTokenDigest', 'expiresAt,revokedAt', 'userId']),
    );
    expect(await indexed('optional')).not.toContain('expiresAt');
    expect(await indexed('plain')).toContain('expiresAt');
    expect((await tableOf(dataSource, 'plain'))!.columns.map((column) => column.name).toSorted()).toEqual(
      ['authTokenDigest', 'createdAt', 'data', 'expiresAt', 'fixedEnd', 'id', 'updatedAt'].toSorted(),
    );
  });

  it('an old table gets the columns by a generated migration, and its sessions stay valid', async () => {
    const old = await fixture.open([Before.entity]);
    await up(old, Before);
    const before = await withService(old, Before, (sessions) => sessions.create({ userId: 'ann' }));
    const grown = await fixture.open([After.entity]);
    for (const query of await differences(grown)) await grown.query(query);
    expect(await differences(grown)).toEqual([]);

    const session = await withService(grown, After, async (sessions) => {
      const found = (await sessions.authenticate(before.authToken))!;
      const none = { idleTtl: null, absoluteExpiresAt: null, revokedAt: null, revokedReason: null, rotatedAt: null };
      const unused = { lastUsedAt: null, lastUsedIp: null, lastUsedUserAgent: null };
      expect(found).toEqual({ ...before, ...none, ...unused, authenticatedAt: null, scopes: [] });
      const rotated = (await sessions.rotate(found))!;
      expect(await sessions.authenticate(rotated.authToken)).toMatchObject({ id: before.id });
      return sessions.reauthenticate(rotated);
    });

    // The version before, which still runs while the new one is rolled out.
    await withService(old, Before, async (sessions) => {
      expect(await sessions.authenticate(session.authToken)).toMatchObject({ id: before.id, userId: 'ann' });
      await sessions.create({ userId: 'ann' });
    });
    await withService(grown, After, async (sessions) => {
      expect(await sessions.revokeAll({ userId: 'ann' }, { reason: 'fraud' })).toBe(2);
      expect(await sessions.count({ status: 'revoked' })).toBe(2);
    });
  });

  it('rows that were written before the migration ran again are still there', async () => {
    const dataSource = await fixture.open([Plain.entity]);
    await up(dataSource, Plain);
    await insert(dataSource, Plain, {});
    await up(dataSource, Plain);
    expect(await dataSource.getRepository(Plain.entity).count()).toBe(1);
  });

  it('the database itself fills in the defaults of the fields, and data, of which MySQL has none', async () => {
    const dataSource = await fixture.open([Full.entity]);
    await up(dataSource, Full);
    const { data, ...others } = row();
    const given = { label: 'a', serial: 'a', ...others, ...(name === 'mysql' && { data }) };
    const defaults = {
      data: {},
      expiresAt: null,
      note: null,
      visits: -3,
      bytes: '9007199254740993',
      balance: '-5',
      score: 1.5,
      trusted: true,
      origin: '',
      level: 'low',
    };
    const adapter = new TypeOrmAdapter(dataSource);
    expect(await adapter.insert(Full.entity, given, { returning: Object.keys(defaults) })).toEqual(defaults);
  });

  it('the database itself refuses a second digest, a second unique value, and null', async () => {
    const dataSource = await fixture.open([Full.entity]);
    await up(dataSource, Full);
    await insert(dataSource, Full, { label: 'a', serial: 'a', authTokenDigest: digestOf('a') });
    const digest = insert(dataSource, Full, { label: 'b', serial: 'b', authTokenDigest: digestOf('a') });
    await expect(digest).rejects.toMatchObject({ columns: ['authTokenDigest'] });
    const serial = insert(dataSource, Full, { label: 'b', serial: 'a' });
    await expect(serial).rejects.toMatchObject({ columns: ['serial'] });
    await expect(insert(dataSource, Full, { serial: 'b' })).rejects.toThrow(/label/);
  });

  it('a foreign key leads to a row, and does what onDelete says', async () => {
    const dataSource = await fixture.openBeside([User, Role], [User, Role, Related.entity]);
    await up(dataSource, Related);
    await expect(insert(dataSource, Related, { userId: uuidv7() })).rejects.toThrow(/foreign key/i);
    const { id: userId } = await dataSource.getRepository(User).save({ name: 'Ann' });
    await insert(dataSource, Related, { userId });
    await dataSource.getRepository(User).delete(userId);
    expect(await dataSource.getRepository(Related.entity).count()).toBe(0);
  });

  it('a table that was renamed leaves its name free', async () => {
    const dataSource = await fixture.open([Full.entity]);
    await up(dataSource, Full);
    await migrate(dataSource, (runner) => runner.renameTable('full_sessions', 'renamed'));
    await up(dataSource, Full);
    expect(await differences(dataSource)).toEqual([]);
  });

  it('a definition that cannot work is refused with every problem, and nothing is made', async () => {
    const dataSource = await fixture.open([]);
    const extraFields = {
      id: { type: 'string' },
      level: { type: 'enum' },
      kind: { type: 'enum', values: ["it's"] },
    } as const;
    const broken = up(dataSource, { table: 'broken', extraFields });
    await expect(broken).rejects.toThrow(SessionsConfigError);
    await expect(broken).rejects.toMatchObject({ problems: { length: 3 } });
    expect(await tableOf(dataSource, 'broken')).toBeUndefined();
  });
});

describe('PARITY 1.7, migrations into a schema of PostgreSQL', () => {
  const fixture = new MigrationFixture('postgres');

  describe('a table in a schema of its own', () => describeTable(fixture, InSchema));

  it('PARITY 1.9: its indexes are there too, and the schema stays when the table is dropped', async () => {
    const dataSource = await fixture.open([InSchema.entity]);
    await up(dataSource, InSchema);
    const indexes = await dataSource.query<{ schemaname: string }[]>(
      `SELECT schemaname FROM pg_indexes WHERE tablename = 'sessions'`,
    );
    expect(indexes.length).toBeGreaterThanOrEqual(6);
    expect(new Set(indexes.map(({ schemaname }) => schemaname))).toEqual(new Set(['auth']));
    await down(dataSource, InSchema);
    expect(await dataSource.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'auth'`)).toHaveLength(1);
  });

  it('a table of the same name in another schema is another table', async () => {
    const dataSource = await fixture.open([InSchema.entity, Public.entity]);
    await up(dataSource, InSchema);
    await up(dataSource, Public);
    expect(await differences(dataSource)).toEqual([]);
    await down(dataSource, InSchema);
    expect(await tableOf(dataSource, 'public.sessions')).toBeDefined();
    expect(await differences(await fixture.open([Public.entity]))).toEqual([]);
  });
});
