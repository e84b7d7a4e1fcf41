import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryAdapter, SessionsModule, SessionsTable } from '@app/sessions';
import { SessionsTestingModule } from '../../libs/sessions/src/testing/index.js';
import { QueryLog } from '../support/query-log.js';

class Sessions extends SessionsTable({ table: 'replaced_sessions', sessionTtl: '2h' }) {}

/** Has an adapter of its own, whatever `forRoot` says. */
class Visits extends SessionsTable({ table: 'replaced_visits', adapter: new MemoryAdapter() }) {}

const queries = new QueryLog();

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: ':memory:',
      autoLoadEntities: true,
      synchronize: true,
      logging: true,
      logger: queries,
    }),
    SessionsModule.forRootAsync({
      useFactory: () => ({
        defaultTable: Sessions,
        pruning: false as const,
        tables: { replaced_sessions: { tokenPrefix: 'test' } },
      }),
    }),
    SessionsModule.forFeature([Sessions, Visits]),
  ],
})
class AppModule {}

let module: TestingModule;
afterEach(() => module.close());

/** The statements that a sign-in sends to the application's database. */
async function statementsOfSignIn(): Promise<number> {
  await module.init();
  const before = queries.statements.length;
  const { authToken, expiresAt, createdAt } = await module.get(Sessions, { strict: false }).create({});
  expect(authToken).toMatch(/^test_/);
  expect(expiresAt!.getTime() - createdAt.getTime()).toBe(7_200_000);
  return queries.statements.length - before;
}

describe('SessionsTestingModule.replaceAdapter', () => {
  const builder = (): ReturnType<typeof Test.createTestingModule> => Test.createTestingModule({ imports: [AppModule] });

  it('puts an application into memory, with all its other options', async () => {
    module = await SessionsTestingModule.replaceAdapter(builder()).compile();
    expect(await statementsOfSignIn()).toBe(0);
  });

  it('leaves an application alone that is not given to it', async () => {
    module = await builder().compile();
    expect(await statementsOfSignIn()).toBeGreaterThan(0);
  });

  it('takes an adapter to use instead, for tables with one of their own too', async () => {
    const adapter = new MemoryAdapter();
    module = await SessionsTestingModule.replaceAdapter(builder(), adapter).compile();
    await module.init();
    await module.get(Visits, { strict: false }).create({});
    const { rows } = await adapter.execute(adapter.prepare('all', Visits.entity));
    expect(rows).toHaveLength(1);
  });

  it('gives each module a memory of its own', async () => {
    module = await SessionsTestingModule.replaceAdapter(builder()).compile();
    await module.get(Sessions, { strict: false }).create({});
    const other = await SessionsTestingModule.replaceAdapter(builder()).compile();
    expect(await other.get(Sessions, { strict: false }).count()).toBe(0);
    await other.close();
  });
});
