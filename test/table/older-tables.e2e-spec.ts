import { Test, type TestingModule } from '@nestjs/testing';
import { getRepositoryToken, TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { Column, DataSource, type DataSourceOptions, Entity, PrimaryColumn, type Repository } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSessionsTable, dropSessionsTable, SessionsModule, SessionsTable } from '@app/sessions';
import { noFixedEnds } from '../../libs/sessions/src/lifecycle/messages.js';
import { ofTable } from '../../libs/sessions/src/errors/messages.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { at, DAY, HOUR, MINUTE, TestClock } from '../support/clock.js';
import { digestOf } from '../support/digest.js';

@Entity('users')
class User {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;

  @Column({ type: 'varchar', length: 20 })
  name!: string;
}

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string', length: 36, index: true },
    note: { type: 'string', nullable: true },
    user: { manyToOne: () => User, joinColumn: 'userId' },
  },
  rotation: true,
  freshness: true,
  revocation: true,
  lastUse: true,
  ownLimits: true,
}) {}

const WARNING = ofTable('sessions', noFixedEnds(''));

/** The statement that a warning ends with, before the name of who warns. */
const statementIn = (warning: string): string => /ALTER TABLE .*(?= SessionsModule$)/.exec(warning)![0];

describeDatabases('a table that has no column for fixed ends', (name) => {
  const clock = new TestClock();
  let database: TestDatabase;
  let module: TestingModule;
  let logs: LogCapture;
  beforeEach(async () => {
    clock.reset();
    database = await createDatabase(name);
    await onDatabase(async (dataSource) => {
      await dataSource.synchronize();
      const runner = dataSource.createQueryRunner();
      await runner.dropColumn('sessions', 'fixedEnd');
      await runner.release();
      await dataSource.manager.insert(User, { id: 'u1', name: 'Ann' });
    });
  });
  afterEach(async () => {
    await module.close();
    await database.drop();
  });

  async function onDatabase<T>(act: (dataSource: DataSource) => Promise<T>): Promise<T> {
    const options = { ...database.options, entities: [User, Sessions.entity] } as DataSourceOptions;
    const dataSource = await new DataSource(options).initialize();
    try {
      return await act(dataSource);
    } finally {
      await dataSource.destroy();
    }
  }

  async function open({ init = true, poolSize = 10 } = {}): Promise<Sessions> {
    logs = new LogCapture();
    module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          ...(name !== 'sqlite' && { poolSize }),
          entities: [User, Sessions.entity],
        } as TypeOrmModuleOptions),
        SessionsModule.forRoot({ clock: clock.read, pruning: false }),
        SessionsModule.forFeature(Sessions),
      ],
    })
      .setLogger(logs)
      .compile();
    if (init) await module.init();
    return module.get(Sessions);
  }

  it('serves every call, and moves ends as it always has', async () => {
    const sessions = await open();
    const session = await sessions.signIn({ userId: 'u1', expiresAt: at(HOUR) }, { ttl: '7d' });
    const given = await sessions.create({ userId: 'u1', expiresAt: at(HOUR) });
    expect(await sessions.authenticate(given.authToken)).toMatchObject({ expiresAt: at(7 * DAY) });
    await sessions.update(given, { expiresAt: at(HOUR) });
    expect(await sessions.get({ authToken: given.authToken })).toMatchObject({ expiresAt: at(7 * DAY) });
    await sessions.update(given, { expiresAt: at(HOUR) });
    expect(await sessions.refresh(given)).toMatchObject({ expiresAt: at(7 * DAY) });
    await sessions.update(given, { expiresAt: at(HOUR) });
    const patched = await sessions.patchData(given, { a: 1 });
    const rotated = (await sessions.rotate(patched))!;
    expect(await sessions.reauthenticate(rotated)).toMatchObject({ expiresAt: at(7 * DAY), data: { a: 1 } });
    const related = await sessions.list({ userId: 'u1' }, { relations: ['user'] });
    expect(related.map(({ user }) => user?.name)).toEqual(['Ann', 'Ann']);
    expect(await sessions.query({ userId: 'u1' }).toQueryBuilder().getCount()).toBe(2);
    const streamed: object[] = [];
    for await (const one of sessions.query().stream()) streamed.push(one);
    expect(streamed).toHaveLength(2);
    expect(await sessions.takeOnce({ authToken: session.authToken })).toMatchObject({ id: session.id });
    expect(await sessions.expire(given)).toBe(true);
    expect(await sessions.deleteAll({ status: 'all' })).toBe(2);
    expect(await sessions.deleteExpired()).toBe(0);
  });

  it('is said once, with the statement that adds it, which does', async () => {
    const sessions = await open();
    await sessions.create({ userId: 'u1', expiresAt: at(HOUR) });
    const [warning, ...others] = logs.matching(WARNING);
    expect(others).toEqual([]);
    await module.close();
    await onDatabase(async (dataSource) => {
      await dataSource.query(statementIn(warning!));
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries).toEqual([]);
    });

    const added = await open();
    expect(logs.matching(WARNING)).toEqual([]);
    const { authToken } = await added.create({ userId: 'u1', expiresAt: at(HOUR) });
    clock.advance(MINUTE);
    expect(await added.authenticate(authToken)).toMatchObject({ expiresAt: at(HOUR) });
  });

  it('is left alone by TypeORM: a repository reads, inserts, saves and deletes', async () => {
    const sessions = await open();
    const repository = module.get<Repository<InstanceType<typeof Sessions.entity>>>(
      getRepositoryToken(Sessions.entity),
    );
    const { id } = await sessions.create({ userId: 'u1' });
    const read = await repository.findOneOrFail({ where: { id }, relations: { user: true } });
    expect(read).toMatchObject({ id, user: { name: 'Ann' } });
    await repository.save({ ...read, note: 'saved' });
    await repository.update({ id }, { note: 'updated' });
    expect(await repository.findOneByOrFail({ id })).toMatchObject({ note: 'updated' });
    const row = { ...read, id: '01900000-0000-7000-8000-000000000000', authTokenDigest: digestOf('other') };
    await repository.insert(row as never);
    expect(await repository.count()).toBe(2);
    await repository.delete({ id });
    expect(await sessions.count()).toBe(1);
  });

  it('is found out by the first call that has to know, where nothing was asked at the start', async () => {
    const sessions = await open({ init: false });
    expect(logs.matching(WARNING)).toEqual([]);
    const created = await Promise.all([1, 2, 3].map(() => sessions.create({ userId: 'u1', expiresAt: at(HOUR) })));
    expect(await sessions.authenticate(created[0]!.authToken)).toMatchObject({ expiresAt: at(7 * DAY) });
    expect(logs.matching(WARNING)).toHaveLength(1);
  });

  it('is found out inside the transaction of a caller who has the only connection', async () => {
    const sessions = await open({ init: false, poolSize: 1 });
    const session = await module.get(DataSource).transaction(async (manager) => {
      const created = await sessions.create({ userId: 'u1', expiresAt: at(HOUR) }, { manager });
      return sessions.update(created, { expiresAt: at(2 * HOUR) }, { manager });
    });
    expect(await sessions.refresh(session)).toMatchObject({ expiresAt: at(7 * DAY) });
  });

  describe('which is made', () => {
    it('after the application has started: it has the column, and keeps the ends', async () => {
      await onDatabase(async (dataSource) => {
        const runner = dataSource.createQueryRunner();
        await dropSessionsTable(runner, Sessions);
        await runner.release();
      });
      const sessions = await open();
      const runner = module.get(DataSource).createQueryRunner();
      await createSessionsTable(runner, Sessions);
      await runner.release();
      const { authToken } = await sessions.create({ userId: 'u1', expiresAt: at(HOUR) });
      clock.advance(MINUTE);
      expect(await sessions.authenticate(authToken)).toMatchObject({ expiresAt: at(HOUR) });
      expect(logs.matching(WARNING)).toEqual([]);
    });
  });
});
