import { DataSource, DefaultNamingStrategy } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { SessionsService, SessionsTable } from '@app/sessions';
import { describeDatabases, type TestDatabase } from '../support/databases.js';
import { type TestApplication, useApplication } from '../support/application.js';
import { at, DAY, MINUTE, SECOND, START } from '../support/clock.js';

const FIELDS = { userId: { type: 'string', index: true }, lastSeen: { type: 'timestamp', nullable: true } } as const;

class Renamed extends SessionsTable({
  table: 'old sessions',
  extraFields: FIELDS,
  columns: {
    id: 'session id',
    authTokenDigest: 'auth_token_digest',
    data: { name: 'payload' },
    expiresAt: 'expires_at',
    fixedEnd: 'fixed end',
    createdAt: 'inserted_at',
    updatedAt: 'order',
    userId: 'user id',
  },
}) {}

class Plain extends SessionsTable({ extraFields: FIELDS }) {}

class Typed extends SessionsTable({
  table: 'typed',
  schema: 'auth',
  extraFields: FIELDS,
  columns: {
    data: { type: 'jsonb' },
    expiresAt: { type: 'timestamptz' },
    createdAt: { name: 'created', type: 'timestamp' },
    updatedAt: { type: 'timestamp with time zone' },
    lastSeen: { name: 'seen', type: 'timestamptz' },
  },
}) {}

class SnakeNaming extends DefaultNamingStrategy {
  override columnName(property: string, custom: string | undefined): string {
    return custom ?? property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  }
}

function columnsOf(app: TestApplication, { entity }: { readonly entity: new () => object }): string[] {
  return app.dataSource
    .getMetadata(entity)
    .columns.map((column) => column.databaseName)
    .toSorted();
}

/** Every call of a table, each of which has to name its columns as the database has them. */
function works(app: TestApplication, sessionsOf: () => Renamed | Plain | Typed): void {
  it('keep an end that is given (ASVS 7.6.1)', async () => {
    const { authToken } = await sessionsOf().create({ userId: 'u1', expiresAt: at(MINUTE) });
    app.clock.advance(SECOND);
    expect(await sessionsOf().authenticate(authToken)).toMatchObject({ expiresAt: at(MINUTE) });
  });

  it('works in every call', async () => {
    const sessions = sessionsOf();
    const session = await sessions.create({ userId: 'u1', data: { a: { b: 1 } }, lastSeen: at(1) });
    await sessions.create({ userId: 'u2' });
    expect(await sessions.get({ authToken: session.authToken })).toEqual(session);
    expect(await sessions.list({ userId: 'u1', lastSeen: at(1), createdAt: START })).toEqual([session]);
    expect(await sessions.list({}, { order: { userId: 'ASC', updatedAt: 'ASC' }, take: 1 })).toEqual([session]);
    expect(await sessions.query({ userId: 'u1' }).toQueryBuilder().getCount()).toBe(1);
    app.clock.advance(2 * DAY);
    expect(await sessions.authenticate(session.authToken)).toMatchObject({ expiresAt: at(9 * DAY) });
    expect(await sessions.update(session, { data: { c: 2 } })).toMatchObject({
      data: { c: 2 },
      updatedAt: at(2 * DAY + 1),
    });
    expect(await sessions.expire(session)).toBe(true);
    expect(await sessions.deleteExpired()).toBe(1);
    expect(await sessions.deleteAll({ userId: 'u2' })).toBe(1);
  });
}

describeDatabases('columns', (name) => {
  describe('with names of their own', () => {
    const app = useApplication(name, { tables: [Renamed] });

    it('have them in the table, be they with spaces or words of SQL', () => {
      expect(columnsOf(app, Renamed)).toEqual(
        [
          'session id',
          'auth_token_digest',
          'payload',
          'expires_at',
          'fixed end',
          'inserted_at',
          'order',
          'user id',
          'lastSeen',
        ].toSorted(),
      );
    });

    works(app, () => app.get(Renamed));
  });

  describe('under a snake-case naming strategy', () => {
    const app = useApplication(name, {
      tables: [Plain, Renamed],
      namingStrategy: new SnakeNaming(),
      options: { defaultTable: 'sessions' },
    });

    it('are named by it, but for those with a name of their own', () => {
      expect(columnsOf(app, Plain)).toEqual(
        [
          'id',
          'auth_token_digest',
          'data',
          'expires_at',
          'fixed_end',
          'created_at',
          'updated_at',
          'user_id',
          'last_seen',
        ].toSorted(),
      );
      expect(columnsOf(app, Renamed)).toContain('last_seen');
      expect(columnsOf(app, Renamed)).toContain('inserted_at');
    });

    works(app, () => app.get(Plain));
  });

  describe('by default', () => {
    const app = useApplication(name, { tables: [Plain] });

    it('are named as the fields', () => {
      expect(columnsOf(app, Plain)).toEqual(
        [
          'id',
          'authTokenDigest',
          'data',
          'expiresAt',
          'fixedEnd',
          'createdAt',
          'updatedAt',
          'userId',
          'lastSeen',
        ].toSorted(),
      );
    });

    it('have a unique index on the digest, and an index on the end and where a field asks for one (PARITY 1.7)', () => {
      const { indices, uniques } = app.dataSource.getMetadata(Plain.entity);
      const names = (columns: readonly { propertyName: string }[]): string =>
        columns.map((one) => one.propertyName).join();
      const unique = [...uniques, ...indices.filter((index) => index.isUnique)].map(({ columns }) => names(columns));
      const others = indices.filter((index) => !index.isUnique).map(({ columns }) => names(columns));
      expect(unique).toEqual(['authTokenDigest']);
      expect(others.toSorted()).toEqual(['expiresAt', 'userId']);
    });
  });
});

describe('a schema and column types on PostgreSQL', () => {
  const app = useApplication('postgres', { tables: [Typed], prepare: createSchema });
  let sessions: Typed;
  beforeAll(() => {
    sessions = app.get(Typed);
  });

  it('are those that were asked for (PARITY 1.1: prefix)', async () => {
    const sql = `SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'auth' AND table_name = 'typed'`;
    const rows = await app.dataSource.query<{ column_name: string; data_type: string }[]>(sql);
    expect(Object.fromEntries(rows.map((row) => [row.column_name, row.data_type]))).toEqual({
      id: 'uuid',
      authTokenDigest: 'bytea',
      data: 'jsonb',
      expiresAt: 'timestamp with time zone',
      fixedEnd: 'boolean',
      created: 'timestamp without time zone',
      updatedAt: 'timestamp with time zone',
      userId: 'character varying',
      seen: 'timestamp with time zone',
    });
  });

  works(app, () => sessions);

  it('hold the same moments whatever the time zone of the connection', async () => {
    await app.dataSource.transaction(async (manager) => {
      await manager.query(`SET LOCAL TIME ZONE 'Asia/Kathmandu'`);
      const session = await sessions.create({ userId: 'u1', lastSeen: at(1) }, { manager });
      expect(await sessions.get({ id: session.id, lastSeen: at(1), createdAt: START }, { manager })).toEqual(session);
      await manager.query(`SET LOCAL TIME ZONE 'America/New_York'`);
      expect(await sessions.get({ id: session.id, lastSeen: at(1), createdAt: START }, { manager })).toEqual(session);
    });
    const [row] = await app.dataSource.query<{ created: string }[]>(`SELECT created::text FROM auth.typed`);
    expect(row?.created).toBe('2026-01-01 00:00:00.123');
  });
});

async function createSchema({ options }: TestDatabase): Promise<void> {
  const dataSource = await new DataSource(options).initialize();
  await dataSource.query('CREATE SCHEMA auth');
  await dataSource.destroy();
}

describe('a table of the same name in two schemas on PostgreSQL', () => {
  class Here extends SessionsTable({ table: 'same' }) {}
  class There extends SessionsTable({ table: 'same', schema: 'auth' }) {}
  const app = useApplication('postgres', {
    tables: [Here, There],
    prepare: createSchema,
    options: { defaultTable: There },
  });

  it('is two tables', async () => {
    const { authToken } = await app.get(There).create({});
    expect(await app.get(There).authenticate(authToken)).not.toBeNull();
    expect(await app.get(Here).authenticate(authToken)).toBeNull();
    expect(await app.get(SessionsService).authenticate(authToken)).not.toBeNull();
  });
});
