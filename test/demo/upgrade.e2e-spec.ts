import { DataSource, type DataSourceOptions, type MigrationInterface, type QueryRunner } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSessionsTable, digestToken, generateToken, SessionsTable, TypeOrmAdapter } from '@app/sessions';
import { Project } from '../../apps/demo/src/projects/project.entity.js';
import { User } from '../../apps/demo/src/users/user.entity.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { DemoApp } from './support/demo-app.js';

/** The tables of sessions and of keys as they were when the first migration was written. */
class Sessions extends SessionsTable({
  table: 'sessions',
  extraFields: {
    userId: { type: 'uuid', index: true, immutable: true },
    user: { manyToOne: () => User, joinColumn: 'userId', onDelete: 'CASCADE' },
  },
  columns: { authTokenDigest: { form: 'hex' }, data: { default: false } },
}) {}
class ApiKeys extends SessionsTable({
  table: 'api_keys',
  extraFields: {
    projectId: { type: 'uuid', index: true, immutable: true },
    name: { type: 'string', length: 100 },
    project: { manyToOne: () => Project, joinColumn: 'projectId', onDelete: 'CASCADE' },
  },
  columns: { authTokenDigest: { form: 'hex' }, data: { default: false } },
}) {}

/** The first migration, but for users and projects, which are as they were. */
class CreateDemo1767225600000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await createSessionsTable(queryRunner, Sessions);
    await createSessionsTable(queryRunner, ApiKeys);
    // What the library made of them then had no such column.
    for (const name of ['sessions', 'api_keys']) await queryRunner.dropColumn(name, 'fixedEnd');
  }

  async down(): Promise<void> {}
}

describeDatabases('a database of the first migration', (name) => {
  const [token, another] = [newToken(), newToken()];
  const key = generateToken({ prefix: 'key', length: 43 });
  let database: TestDatabase;
  let app: DemoApp;
  beforeAll(async () => {
    database = await createDatabase(name);
    await makeOld();
    app = await DemoApp.start(database.url);
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  it('is migrated to what the entities say, and back, and again', async () => {
    expect(await differences()).toEqual([]);
    for (const _ of ['sign ups', 'fixed ends', 'marks', 'daily counts', 'activity'])
      await app.dataSource.undoLastMigration();
    // In the order in which the suites of this process have made their entities known.
    const missing = (await differences()).join('\n');
    for (const table of ['activity', 'daily_counts', 'sign_ups'])
      expect(missing).toMatch(new RegExp(`CREATE TABLE .${table}.`));
    await app.dataSource.runMigrations();
    expect(await differences()).toEqual([]);
    expect(await app.send('GET', '/api/me', { token })).toMatchObject({ status: 200 });
  });

  it('has sessions that stay valid, and can all that new ones can', async () => {
    const me = await app.send('GET', '/api/me', { token });
    expect(me).toMatchObject({ status: 200, body: { session: { device: 'laptop', status: 'valid', lastUse: null } } });
    const { body } = await app.send('POST', '/api/session/rotate', { token });
    const { token: rotated } = body as { token: string };
    expect(await app.send('GET', '/api/me', { token: rotated })).toMatchObject({ status: 200 });
    expect(await app.send('POST', '/api/logout', { token: another })).toMatchObject({ status: 204 });
    expect(await app.send('GET', '/api/me', { token: another })).toMatchObject({ status: 401 });
  });

  it('has sessions whose owners last proved who they are at the login, long ago (ASVS 7.5.1)', async () => {
    const answer = await app.send('POST', '/api/account/password', { token, body: { password: 'battery staple' } });
    expect(answer).toMatchObject({ status: 401, body: { errorCode: 'ERR_SESSION_NOT_FRESH' } });
  });

  it('has keys that can what they could before, and no more', async () => {
    const project = await app.send('GET', '/api/project', { token: key });
    expect(project).toMatchObject({ status: 200, body: { name: 'Engine', key: { scopes: ['project:read'] } } });
    const renamed = await app.send('PATCH', '/api/project', { token: key, body: { name: 'Motor' } });
    expect(renamed).toMatchObject({ status: 403 });
  });

  async function differences(): Promise<string[]> {
    const { upQueries } = await app.dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  }

  /** What the demo was: a user with two sessions, and a project with a key. */
  async function makeOld(): Promise<void> {
    const people = [User, Project];
    await (await open(database, { entities: people, synchronize: true })).destroy();
    const entities = [...people, Sessions.entity, ApiKeys.entity];
    const dataSource = await open(database, { entities, migrations: [CreateDemo1767225600000], migrationsRun: true });
    const storage = new TypeOrmAdapter(dataSource);
    const [userId, projectId] = [uuidv7(), uuidv7()];
    await storage.insert(User, { id: userId, email: 'ada@example.com', passwordHash: '' });
    await storage.insert(Project, { id: projectId, name: 'Engine', userId });
    const common = { createdAt: hoursFromNow(-1), updatedAt: hoursFromNow(-1) };
    for (const each of [token, another]) {
      await storage.insert(Sessions.entity, {
        ...common,
        id: uuidv7(),
        userId,
        data: { userAgent: 'laptop', ip: '127.0.0.1' },
        authTokenDigest: digestToken(each, SHA256),
        expiresAt: hoursFromNow(24),
      });
    }
    await storage.insert(ApiKeys.entity, {
      ...common,
      id: uuidv7(),
      projectId,
      name: 'build server',
      data: {},
      authTokenDigest: digestToken(key, SHA256),
      expiresAt: null,
    });
    await dataSource.destroy();
  }
});

const newToken = (): string => generateToken({ prefix: undefined, length: 64 });
const SHA256 = { algorithm: 'sha256' } as const;

async function open({ options }: TestDatabase, further: Partial<DataSourceOptions>): Promise<DataSource> {
  return new DataSource({ ...options, ...further } as DataSourceOptions).initialize();
}

function hoursFromNow(hours: number): Date {
  return new Date(Date.now() + hours * 3_600_000);
}
