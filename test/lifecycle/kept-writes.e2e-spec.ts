import type { DataSource, EntityManager } from 'typeorm';
import { afterEach, expect, it, vi } from 'vitest';
import { type SessionOf, SessionsTable, TypeOrmAdapter } from '@app/sessions';
import { useApplication } from '../support/application.js';
import { DAY } from '../support/clock.js';
import { describeDatabases, isMysql } from '../support/databases.js';
import { keptStatements } from '../support/kept-statements.js';
import { QueryLog } from '../support/query-log.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string', index: true }, number: { type: 'int', default: 0 } },
  owner: 'userId',
  revocation: true,
  rotation: true,
  freshness: true,
  lastUse: true,
}) {}

type Token = { readonly authToken: string };
type Session = SessionOf<Sessions> & Token;

interface Options {
  readonly manager?: EntityManager;
}

/** The writes of the service, of which each call has other values. */
const WRITES: Readonly<
  Record<string, (table: Sessions, session: Session, n: number, options: Options) => Promise<unknown>>
> = {
  create: (table, _, n, options) => table.create({ userId: `${n}`, data: { n } }, options),
  signIn: (table, _, n, options) => table.signIn({ userId: `${n}` }, options),
  update: (table, session, number, options) => table.update(session, { number }, options),
  'update of data': (table, session, n, options) => table.update(session, { data: { n } }, options),
  patchData: (table, session, n, options) => table.patchData(session, { [`key ${n}`]: n, gone: undefined }, options),
  refresh: (table, session, _, options) => table.refresh(session, options),
  expire: (table, session, _, options) => table.expire(session, options),
  revoke: (table, session, _, options) => table.revoke(session, options),
  rotate: (table, session, _, options) => table.rotate(session, options),
  reauthenticate: (table, session, _, options) => table.reauthenticate(session, options),
  delete: (table, session, _, options) => table.delete(session, options),
  takeOnce: (table, { authToken }, _, options) => table.takeOnce({ authToken }, options),
};

/** What a driver sends beside statements about rows. */
const FRAME = /^(START TRANSACTION|COMMIT|BEGIN(?! NOT ATOMIC)|SET TRANSACTION|SAVEPOINT|RELEASE|ROLLBACK)/;

describeDatabases('a further write of a kind', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, { tables: [Sessions] });
  const table = (): Sessions => app.get(Sessions);
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Makes so many sessions, of which each is due for an extension. */
  const begin = async (count: number): Promise<Session[]> => {
    const all: Session[] = [];
    for (let i = 0; i < count; i++) all.push(await table().create({ userId: 'a', data: { gone: i } }));
    app.clock.advance(4 * DAY);
    return all;
  };

  // By a token MariaDB and MySQL find the row first, in a list of digests, which mysql2 writes into the statement.
  const writes = Object.entries(WRITES).filter(([call]) => !isMysql(name) || call !== 'takeOnce');
  it.each(writes)('compiles and prepares nothing: %s', async (_, write) => {
    const [first, ...others] = await begin(4);
    await write(table(), first!, 0, {});
    const [kept, prepared] = [await keptBy(app.dataSource), counting(app.dataSource)];
    const compiled = vi.spyOn(TypeOrmAdapter.prototype, 'prepare');
    app.dataSource.setOptions({ logger: queries });
    queries.statements.length = 0;
    for (const [n, session] of others.entries()) expect(await write(table(), session, n + 1, {})).toBeTruthy();
    expect(compiled.mock.calls.map(([kind]) => kind)).toEqual([]);
    expect(prepared()).toBe(0);
    const sent = queries.statements.filter((text) => !FRAME.test(text));
    expect(await keptBy(app.dataSource)).toEqual(kept);
    expect(sent.length).toBeGreaterThanOrEqual(others.length);
    const isKept = (text: string): boolean => [...kept].some((one) => one.endsWith(text));
    expect(name === 'sqlite' ? [] : sent.filter((text) => !isKept(text))).toEqual([]);
  });

  it.runIf(isMysql(name))('by a token prepares nothing, and finds and locks the row by what is not kept', async () => {
    const [first, ...others] = await begin(4);
    const takeOnce = WRITES['takeOnce']!;
    await takeOnce(table(), first!, 0, {});
    const kept = await keptBy(app.dataSource);
    app.dataSource.setOptions({ logger: queries });
    queries.statements.length = 0;
    for (const session of others) expect(await takeOnce(table(), session, 0, {})).toMatchObject({ id: session.id });
    const sent = queries.statements.filter((text) => !FRAME.test(text));
    expect(await keptBy(app.dataSource)).toEqual(kept);
    const isKept = (text: string): boolean => [...kept].some((one) => one.endsWith(text));
    expect(sent.map(isKept)).toEqual(others.flatMap(() => [false, false, true, true]));
  });

  it.each(Object.entries(WRITES))('compiles nothing in a transaction of the application: %s', async (_, write) => {
    const [first, ...others] = await begin(4);
    await app.dataSource.transaction((manager) => write(table(), first!, 0, { manager }));
    const compiled = vi.spyOn(TypeOrmAdapter.prototype, 'prepare');
    await app.dataSource.transaction(async (manager) => {
      for (const [n, session] of others.entries())
        expect(await write(table(), session, n + 1, { manager })).toBeTruthy();
    });
    expect(compiled.mock.calls.map(([kind]) => kind)).toEqual([]);
  });
});

/** The statements that a server keeps prepared, with what mysql2 puts before them; none of SQLite. */
async function keptBy(dataSource: DataSource): Promise<ReadonlySet<string>> {
  return new Set(dataSource.options.type === 'better-sqlite3' ? [] : await keptStatements(dataSource));
}

/** How many statements SQLite prepares from now on. */
function counting(dataSource: DataSource): () => number {
  const { databaseConnection } = dataSource.driver as { databaseConnection?: { prepare(text: string): unknown } };
  if (!databaseConnection) return () => 0;
  const prepare = vi.spyOn(databaseConnection, 'prepare');
  return () => prepare.mock.calls.length;
}
