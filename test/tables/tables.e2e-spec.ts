import { Test, type TestingModule } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionMark, SessionsModule } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { TestClock } from '../support/clock.js';
import { createDatabase, type DatabaseName, isThere, runStatements, type TestDatabase } from '../support/databases.js';
import { CALLS, type Opened } from './calls.js';
import { User, visitsTable } from './definition.js';
import { refusalOf, type TableKind } from './kind.js';
import { KINDS } from './kinds.js';
import { otherTables } from './layout.js';

/** Every kind on all of its databases takes minutes, so others run it on the first of them: `npm run test:tables`. */
const ALL = process.env['TABLES'] === 'all';

const MATRIX = KINDS.flatMap((kind) => {
  const databases = (Object.keys(kind.statements) as DatabaseName[]).filter(isThere);
  return (ALL ? databases : databases.slice(0, 1)).map((database) => ({ title: kind.name, kind, database }));
});

describe.each(MATRIX)('tables: $title on $database', ({ kind, database: name }) => {
  const table = visitsTable(kind.definition?.(name));
  const clock = new TestClock();
  let database: TestDatabase;
  let module: TestingModule | undefined;

  beforeAll(async () => {
    database = await createDatabase(name);
    await prepare(database, kind);
  });
  afterAll(async () => {
    await module?.close();
    await database.drop();
  });

  const start = async (): Promise<void> => {
    const options = { ...database.options, ...kind.connection } as DataSourceOptions;
    module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...options, entities: [table.entity, SessionMark, User], retryAttempts: 1 }),
        SessionsModule.forRoot({ clock: clock.read, pruning: false }),
        SessionsModule.forFeature(table),
      ],
    }).compile();
    await module.init();
  };

  const refusal = refusalOf(kind, name);
  if (refusal !== undefined) {
    it('are refused at the start', () => expect(start()).rejects.toThrow(refusal));
    return;
  }

  let opened: Opened;
  beforeAll(async () => {
    await start();
    const sessions = module!.get(table);
    const flush = () => module!.get(SessionsRegistry).store(table).lastUse!.flush();
    opened = { sessions, clock, flush, dataSource: module!.get<DataSource>(getDataSourceToken()) };
  });
  beforeEach(async () => {
    await opened.flush();
    clock.reset();
    await opened.sessions.deleteAll({ status: 'all' });
  });

  const { refusedCalls = {} } = kind;
  it.each(Object.entries(CALLS).filter(([call]) => !(call in refusedCalls)))('%s', (_, run) =>
    expect(run(opened)).resolves.toBeUndefined(),
  );
  it.each(Object.entries(refusedCalls))('%s is refused', (call, problem) =>
    expect(CALLS[call]!(opened)).rejects.toThrow(problem),
  );
});

async function prepare({ name, options }: TestDatabase, { statements }: TableKind): Promise<void> {
  const users = `INSERT INTO users (id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob')`;
  await runStatements(options, [...otherTables(name), ...statements[name]!, users]);
}
