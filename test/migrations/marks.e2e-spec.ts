import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { afterEach, expect, it } from 'vitest';
import {
  SessionMark,
  SessionsConfigError,
  SessionsModule,
  SessionsTable,
  StaleCredentialsError,
  TypeOrmAdapter,
} from '@app/sessions';
import { createDatabase, describeDatabases } from '../support/databases.js';
import { errorOf } from '../support/sessions.js';
import { differences, down, migrate, MigrationFixture, tableOf, up } from './migration-fixture.js';

class Sessions extends SessionsTable({
  table: 'sessions',
  extraFields: { userId: { type: 'string' } },
  sessionLimits: { userId: { max: 3 } },
}) {}
class Others extends SessionsTable({ table: 'others' }) {}

const MARKS = 'nest_sessions_marks';
const ANN = { userId: 'ann' };
const CHANGED = { reason: 'credentials_changed' } as const;

describeDatabases('the table of marks', (name) => {
  const fixture = new MigrationFixture(name);
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function sessionsOn(dataSource: DataSource): Promise<Sessions> {
    const module = await Test.createTestingModule({
      imports: [
        SessionsModule.forRoot({ adapter: new TypeOrmAdapter(dataSource), pruning: false }),
        SessionsModule.forFeature(Sessions),
      ],
    }).compile();
    await module.init();
    closing.push(() => module.close());
    return module.get(Sessions);
  }

  it('comes with a table of sessions, stays when that is dropped, and is left alone when it is there', async () => {
    const dataSource = await fixture.open([Sessions.entity, Others.entity, SessionMark]);
    await up(dataSource, Sessions);
    await new TypeOrmAdapter(dataSource).insert(SessionMark, { name: 'a', at: new Date(0) });
    await up(dataSource, Others);
    expect(await differences(dataSource)).toEqual([]);
    await down(dataSource, Others);
    expect(await dataSource.getRepository(SessionMark).count()).toBe(1);
    await down(dataSource, Sessions);
    expect(await tableOf(dataSource, MARKS)).toBeDefined();
  });

  it('has a name as its key, a time, and what may be null', async () => {
    const dataSource = await fixture.open([]);
    await up(dataSource, Others);
    const { columns } = (await tableOf(dataSource, MARKS))!;
    expect(columns).toHaveLength(4);
    const expected = { name: [true, false], at: [false, false], holder: [false, true], until: [false, true] };
    const found = columns.map((column) => [column.name, [column.isPrimary, column.isNullable]] as const);
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it('comes to a database from before by the same call once more', async () => {
    const dataSource = await fixture.open([Sessions.entity]);
    await up(dataSource, Sessions);
    await migrate(dataSource, (runner) => runner.dropTable(MARKS));
    await up(dataSource, Sessions);
    const sessions = await sessionsOn(dataSource);
    await sessions.revokeAll(ANN, CHANGED);
    await expect(sessions.signIn(ANN, { provedAt: new Date() })).rejects.toThrow(StaleCredentialsError);
  });

  it('comes with autoLoadEntities to what synchronize makes', async () => {
    const database = await createDatabase(name);
    closing.push(() => database.drop());
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, autoLoadEntities: true, synchronize: true }),
        SessionsModule.forRoot({ pruning: false }),
        SessionsModule.forFeature(Sessions),
      ],
    }).compile();
    await module.init();
    closing.unshift(() => module.close());
    expect(await module.get(Sessions).revokeAll(ANN, CHANGED)).toBe(0);
  });

  it('is missed only by who notes changes, or asks for them: the error has the statement that makes it', async () => {
    const dataSource = await fixture.open([Sessions.entity], { synchronize: true });
    const sessions = await sessionsOn(dataSource);
    const session = await sessions.signIn(ANN);
    await sessions.signIn(ANN, { replaces: session });
    await sessions.revokeAll(ANN);
    for (const _ of ['once', 'again']) await sessions.deleteExpired();

    await sessions.create(ANN);
    const error = await errorOf(sessions.revokeAll(ANN, CHANGED));
    expect(error).toBeInstanceOf(SessionsConfigError);
    await expect(sessions.signIn(ANN, { provedAt: new Date() })).rejects.toThrow(error.message);
    expect(await sessions.count()).toBe(1);
    const [statement] = /CREATE TABLE [^;]+/.exec(error.message)!;
    await dataSource.query(statement);
    expect(await sessions.revokeAll(ANN, CHANGED)).toBe(1);
    expect(await differences(await fixture.open([Sessions.entity, SessionMark]))).toEqual([]);
  });

  it('undoes with its error what the transaction of the application did before', async () => {
    const dataSource = await fixture.open([Sessions.entity], { synchronize: true });
    const sessions = await sessionsOn(dataSource);
    const transaction = dataSource.transaction(async (manager) => {
      await sessions.create(ANN, { manager });
      await sessions.revokeAll(ANN, { ...CHANGED, manager });
    });
    await expect(transaction).rejects.toThrow(SessionsConfigError);
    expect(await sessions.count({ status: 'all' })).toBe(0);
  });
});
