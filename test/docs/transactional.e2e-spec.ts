import { randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions, EntitySchema, type Repository } from 'typeorm';
import { addTransactionalDataSource, initializeTransactionalContext, runInTransaction } from 'typeorm-transactional';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionsModule, SessionsTable } from '@app/sessions';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';

interface User {
  id: string;
}
const UserEntity = new EntitySchema<User>({ name: 'User', columns: { id: { type: String, primary: true } } });

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string', index: true } } }) {}

describeDatabases('inside @Transactional() of typeorm-transactional', (name) => {
  let database: TestDatabase;
  let app: INestApplicationContext;
  let users: Repository<User>;
  let sessions: Sessions;
  beforeAll(async () => {
    initializeTransactionalContext();
    database = await createDatabase(name);
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...database.options, autoLoadEntities: true, synchronize: true }),
          dataSourceFactory: async (options) =>
            addTransactionalDataSource({ name, dataSource: new DataSource(options as DataSourceOptions) }),
        }),
        TypeOrmModule.forFeature([UserEntity]),
        ScheduleModule.forRoot(),
        SessionsModule.forRootAsync({
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => ({ transaction: () => dataSource.manager }),
        }),
        SessionsModule.forFeature(Sessions),
      ],
    }).compile();
    app = await module.init();
    users = app.get<Repository<User>>(getRepositoryToken(UserEntity));
    sessions = app.get(Sessions);
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  it.each([
    ['by itself', () => ({})],
    ['by the manager of a repository', () => ({ manager: users.manager })],
  ])('a session is undone with the rest, %s', async (_how, options) => {
    const before = await users.count();
    const signUp = (fails: boolean) =>
      runInTransaction(
        async () => {
          const user = await users.save({ id: randomUUID() });
          await sessions.create({ userId: user.id }, options());
          if (fails) throw new Error('undone');
        },
        { connectionName: name },
      );
    await expect(signUp(true)).rejects.toThrow('undone');
    expect([await users.count(), await sessions.count()]).toEqual([before, before]);
    await signUp(false);
    expect([await users.count(), await sessions.count()]).toEqual([before + 1, before + 1]);
  });
});
