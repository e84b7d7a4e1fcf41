import { randomUUID } from 'node:crypto';
import { Injectable, type INestApplicationContext } from '@nestjs/common';
import { Transactional, TransactionHost, ClsPluginTransactional } from '@nestjs-cls/transactional';
import { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm';
import { Test } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { ClsModule } from 'nestjs-cls';
import { EntitySchema } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionsModule, SessionsTable } from '@app/sessions';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';

interface User {
  id: string;
}
const UserEntity = new EntitySchema<User>({ name: 'User', columns: { id: { type: String, primary: true } } });

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string', index: true } } }) {}

@Injectable()
class SignUp {
  constructor(
    private readonly host: TransactionHost<TransactionalAdapterTypeOrm>,
    private readonly sessions: Sessions,
  ) {}

  @Transactional()
  async signUp(id: string, fails: boolean): Promise<void> {
    await this.host.tx.insert(UserEntity, { id });
    await this.sessions.create({ userId: id });
    if (fails) throw new Error('undone');
  }
}

describeDatabases('inside @Transactional() of @nestjs-cls/transactional', (name) => {
  let database: TestDatabase;
  let app: INestApplicationContext;
  beforeAll(async () => {
    database = await createDatabase(name);
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, entities: [UserEntity, Sessions.entity], synchronize: true }),
        ClsModule.forRoot({
          global: true,
          plugins: [
            new ClsPluginTransactional({
              adapter: new TransactionalAdapterTypeOrm({ dataSourceToken: getDataSourceToken() }),
            }),
          ],
        }),
        SessionsModule.forRootAsync({
          inject: [TransactionHost],
          useFactory: (host: TransactionHost<TransactionalAdapterTypeOrm>) => ({
            pruning: false,
            transaction: () => host.tx,
          }),
        }),
        SessionsModule.forFeature(Sessions),
      ],
      providers: [SignUp],
    }).compile();
    app = await module.init();
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  it('a session is undone with the rest', async () => {
    const [service, { tx }] = [app.get(SignUp), app.get<TransactionHost<TransactionalAdapterTypeOrm>>(TransactionHost)];
    const counts = async (): Promise<number[]> => [await tx.count(UserEntity), await app.get(Sessions).count()];
    await expect(service.signUp(randomUUID(), true)).rejects.toThrow('undone');
    expect(await counts()).toEqual([0, 0]);
    await service.signUp(randomUUID(), false);
    expect(await counts()).toEqual([1, 1]);
  });
});
