import { TypeOrmModule } from '@nestjs/typeorm';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource, type EntitySubscriberInterface, type QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SessionsModule, SessionsUnavailableError, TypeOrmAdapter } from '@app/sessions';
import { TRANSACTION_OVER } from '../../libs/sessions/src/adapters/typeorm/messages.js';
import { createDatabase, isMysql, mysqlAlike, SERVERS, type TestDatabase } from '../support/databases.js';
import { errorOf } from '../support/sessions.js';
import { UNTIL_IT_HANGS } from '../support/until.js';
import { Sessions } from './calls.js';

/** How a server ends a connection. */
const KILL = mysqlAlike({
  postgres: { id: 'SELECT pg_backend_pid() AS id', end: (id: number) => `SELECT pg_terminate_backend(${id})` },
  mariadb: { id: 'SELECT connection_id() AS id', end: (id: number) => `KILL ${id}` },
});

describe.each(SERVERS)('a transaction of the library whose connection breaks, on %s', (type) => {
  let database: TestDatabase;
  let module: TestingModule;
  let other: DataSource;
  beforeAll(async () => {
    database = await createDatabase(type);
    const source = TypeOrmModule.forRoot({ ...database.options, autoLoadEntities: true, synchronize: true });
    module = await Test.createTestingModule({
      imports: [source, SessionsModule.forRoot({ pruning: false }), SessionsModule.forFeature(Sessions)],
    }).compile();
    await module.init();
    other = await new DataSource(database.options).initialize();
  });
  afterAll(async () => {
    await other.destroy();
    await module.close();
    await database.drop();
  });

  /** Ends the connection of the next transaction before a step of it, and goes on when its runner knows. */
  function breakOnce(step: 'afterTransactionStart' | 'beforeTransactionCommit' | 'afterTransactionCommit'): void {
    const { subscribers } = module.get(DataSource);
    const breakIt = async (runner: QueryRunner): Promise<void> => {
      subscribers.splice(subscribers.indexOf(subscriber), 1);
      const [{ id }] = (await runner.query(KILL[type].id)) as [{ id: number }];
      await other.query(KILL[type].end(id));
      // On MariaDB and MySQL the next statement tells it.
      await vi.waitUntil(() => isMysql(type) || runner.isReleased, UNTIL_IT_HANGS);
    };
    const subscriber: EntitySubscriberInterface = {
      [step]: ({ queryRunner }: { queryRunner: QueryRunner }) => breakIt(queryRunner),
    };
    subscribers.push(subscriber);
  }

  it.each(['afterTransactionStart', 'beforeTransactionCommit'] as const)(
    'is a SessionsUnavailableError, and no session: %s',
    async (step) => {
      const sessions = module.get(Sessions);
      breakOnce(step);
      const error = await errorOf(sessions.signIn({ userId: step }));
      expect(error).toBeInstanceOf(SessionsUnavailableError);
      // There is none of the application's.
      expect(error.message).not.toContain(TRANSACTION_OVER);
      expect(await sessions.count({ userId: step })).toBe(0);
      expect(await sessions.signIn({ userId: step })).toMatchObject({ userId: step });
    },
  );

  it('is the session where that is committed, and so nobody waits for its locks', async () => {
    const sessions = module.get(Sessions);
    breakOnce('afterTransactionCommit');
    const { authToken } = await sessions.signIn({ userId: 'ada' });
    expect(await sessions.authenticate(authToken)).toMatchObject({ userId: 'ada' });
    expect(await sessions.signIn({ userId: 'ada' })).toMatchObject({ userId: 'ada' });
  });

  it.runIf(isMysql(type))('holds no lock that could not be given back', async () => {
    const dataSource = module.get(DataSource);
    const { subscribers } = dataSource;
    const subscriber: EntitySubscriberInterface = {
      beforeQuery({ query }) {
        if (query.includes('RELEASE_LOCK')) throw new Error('of the application');
      },
    };
    subscribers.push(subscriber);
    expect(await new TypeOrmAdapter(dataSource).withLock('a name', async () => 'done')).toBe('done');
    subscribers.splice(subscribers.indexOf(subscriber), 1);
    expect(await new TypeOrmAdapter(other).withLock('a name', async () => 'done')).toBe('done');
  });
});
