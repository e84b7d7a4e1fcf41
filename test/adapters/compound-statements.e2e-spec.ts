import type { EventEmitter } from 'node:events';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  SessionLimitError,
  SessionsTable,
  SessionsUnavailableError,
  StaleSessionError,
  TypeOrmAdapter,
  UniqueConstraintError,
} from '@app/sessions';
import { useApplication } from '../support/application.js';
import { SERVERS } from '../support/databases.js';
import { QueryLog } from '../support/query-log.js';

class Sessions extends SessionsTable({
  extraFields: { number: { type: 'int', default: 0 }, name: { type: 'string', unique: true, nullable: true } },
}) {}

class Limited extends SessionsTable({
  table: 'limited',
  extraFields: { userId: { type: 'string', index: true } },
  sessionLimits: { userId: { max: 1, whenFull: 'reject' } },
}) {}

interface Connection {
  readonly threadId: number;
  destroy(): void;
  query(text: string, done?: (error: Error | null, rows: Record<string, unknown>[]) => void): void;
}
type Pool = EventEmitter & { readonly _allConnections: { toArray(): Connection[] } };

describe.runIf(SERVERS.includes('mariadb'))('a message of several statements, on MariaDB', () => {
  const queries = new QueryLog();
  const app = useApplication('mariadb', { tables: [Sessions, Limited], options: { defaultTable: 'sessions' } });
  let other: DataSource;
  beforeEach(async () => {
    app.dataSource.setOptions({ logger: queries });
    other = await new DataSource({ ...app.dataSource.options, logger: undefined }).initialize();
  });
  afterEach(() => other.destroy());
  const sessions = (): Sessions => app.get(Sessions);
  const pool = (): Pool => (app.dataSource.driver as unknown as { pool: Pool }).pool;
  const connections = (): Connection[] => pool()['_allConnections'].toArray();
  const idsOf = (): string =>
    connections()
      .map(({ threadId }) => threadId)
      .join(', ');
  /** The sum of a number of each connection of the application. */
  const sumOf = async (sql: string): Promise<number> => {
    const numbers = connections().map(
      (connection) =>
        new Promise<number>((resolve, reject) => {
          connection.query(`SELECT ${sql} AS n`, (error, rows) =>
            error ? reject(error) : resolve(Number(rows[0]!['n'])),
          );
        }),
    );
    return (await Promise.all(numbers)).reduce((sum, n) => sum + n, 0);
  };
  /** How many transactions are open. */
  const open = (): Promise<number> => sumOf('@@in_transaction');
  /** How many locks were held; none afterwards. */
  const locks = (): Promise<number> => sumOf('RELEASE_ALL_LOCKS()');
  /** Ends what a connection of the application does in this state. */
  const kill = async (state: string): Promise<void> => {
    const waiting = `SELECT id FROM information_schema.processlist WHERE id IN (${idsOf()}) AND state = '${state}'`;
    let [waiter] = await other.query<{ id: number }[]>(waiting);
    while (!waiter) [waiter] = await other.query<{ id: number }[]>(waiting);
    await other.query(`KILL QUERY ${waiter.id}`);
  };

  it('is all of an update that reads its row', async () => {
    const session = await sessions().create({});
    const sent = await queries.countOf(async () => {
      expect(await sessions().update(session, { number: 1 })).toMatchObject({ id: session.id, number: 1 });
    });
    expect(sent).toBe(1);
  });

  it('finds no row that is gone', async () => {
    const session = await sessions().create({});
    await sessions().delete(session);
    await expect(sessions().update(session, { number: 1 })).rejects.toThrow(StaleSessionError);
  });

  it('returns what it wrote, whoever comes after it', async () => {
    const session = await sessions().create({});
    const numbers = Array.from({ length: 64 }, (_, i) => i);
    const updated = await Promise.all(numbers.map((number) => sessions().update(session, { number })));
    expect(updated.map(({ number }) => number)).toEqual(numbers);
  });

  it('leaves no transaction open where a value is refused', async () => {
    const [first, second] = [await sessions().create({ name: 'taken' }), await sessions().create({})];
    await expect(sessions().update(second, { name: first.name })).rejects.toThrow(UniqueConstraintError);
    expect(await open()).toBe(0);
    expect(await sessions().update(second, { name: 'free' })).toMatchObject({ name: 'free' });
  });

  it('leaves no transaction open where the value of one of several is refused', async () => {
    const all = await Promise.all(Array.from({ length: 16 }, () => sessions().create({})));
    await app.dataSource.query('ALTER TABLE sessions ADD CONSTRAINT no_seven CHECK (number <> 7)');
    const changed = await Promise.allSettled(all.map((session, number) => sessions().update(session, { number })));
    expect(changed.map(({ status }) => status === 'fulfilled')).toEqual(all.map((_, i) => i !== 7));
    expect(await open()).toBe(0);
    await app.dataSource.query('ALTER TABLE sessions DROP CONSTRAINT no_seven');
  });

  it('fails for each of several where the connections take no writes', async () => {
    const all = await Promise.all(Array.from({ length: 16 }, () => sessions().create({})));
    for (const connection of connections()) connection.query('SET SESSION TRANSACTION READ ONLY');
    const changed = await Promise.allSettled(all.map((session) => sessions().update(session, { number: 1 })));
    const reasons = changed.map((outcome) => outcome.status === 'rejected' && (outcome.reason as unknown));
    expect(reasons).toEqual(all.map(() => expect.any(SessionsUnavailableError)));
    for (const connection of connections()) connection.query('SET SESSION TRANSACTION READ WRITE');
    expect(await sessions().count({ number: 1 })).toBe(0);
  });

  it('leaves no transaction open where the server ends the statement', async () => {
    const session = await sessions().create({});
    const holder = other.createQueryRunner();
    await holder.startTransaction();
    await holder.query('UPDATE sessions SET number = 7 WHERE id = ?', [session.id]);
    const updating = sessions().update(session, { number: 1 });
    const refused = updating.catch((error: unknown) => error);
    await kill('Updating');
    expect(await refused).toBeInstanceOf(Error);
    expect(await open()).toBe(0);
    await holder.commitTransaction();
    await holder.release();
    expect(await sessions().count({ number: 7 })).toBe(1);
  });

  it('begins a sign-in within limits, and another ends it', async () => {
    expect(await queries.countOf(() => app.get(Limited).create({ userId: 'ann' }))).toBe(4);
    expect(await app.get(Limited).count({ userId: 'ann' })).toBe(1);
  });

  it('reads two results for a sign-in within limits: none says that its lock was given back', async () => {
    await app.get(Limited).create({ userId: 'ben' });
    const count = `(SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'COM_SELECT')`;
    const before = await sumOf(count);
    await app.get(Limited).create({ userId: 'cid' });
    // The count itself is one for each connection.
    expect((await sumOf(count)) - connections().length - before).toBe(2);
  });

  it('leaves no transaction and no lock where a sign-in is refused', async () => {
    await app.get(Limited).create({ userId: 'ann' });
    await expect(app.get(Limited).create({ userId: 'ann' })).rejects.toThrow(SessionLimitError);
    expect([await open(), await locks()]).toEqual([0, 0]);
  });

  it('leaves no transaction and no lock where the server ends the wait for one', async () => {
    const fail = async (): Promise<void> => expect.fail('It has got the lock.');
    await new TypeOrmAdapter(other).withLock('one', async () => {
      const refused = new TypeOrmAdapter(app.dataSource).withLock('one', fail).catch((error: unknown) => error);
      await kill('User lock');
      expect(await refused).toBeInstanceOf(Error);
    });
    expect([await open(), await locks()]).toEqual([0, 0]);
  });

  it('takes several where the mode of the server knows no such message', async () => {
    for (const connection of connections()) connection.destroy();
    pool().on('connection', (connection: Connection) =>
      connection.query("SET sql_mode = CONCAT(@@sql_mode, ',ORACLE')"),
    );
    const session = await sessions().create({});
    expect(await sessions().update(session, { number: 1 })).toMatchObject({ number: 1 });
    expect(await queries.countOf(() => sessions().update(session, { number: 2 }))).toBeGreaterThan(2);
    expect(await sessions().count({ number: 2 })).toBe(1);
    const all = await Promise.all(Array.from({ length: 16 }, () => sessions().create({})));
    const changed = await Promise.all(all.map((one, i) => sessions().update(one, { number: 3 + i })));
    expect(changed.map(({ number }) => number)).toEqual(all.map((_, i) => 3 + i));
    await app.get(Limited).create({ userId: 'ann' });
    await expect(app.get(Limited).create({ userId: 'ann' })).rejects.toThrow(SessionLimitError);
    expect([await open(), await locks()]).toEqual([0, 0]);
  });
});
