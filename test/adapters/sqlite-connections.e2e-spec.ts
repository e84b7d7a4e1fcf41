import { existsSync } from 'node:fs';
import { join, dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import BetterSqlite from 'better-sqlite3';
import { DataSource, type DataSourceOptions, EntitySchema, type EntitySubscriberInterface, IsNull } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EctoAdapter, SessionsUnavailableError, TypeOrmAdapter } from '@app/sessions';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { useImpatience } from '../support/impatient-sqlite.js';
import { LIBSQL } from '../support/libsql.js';
import { ENTITIES, Person, Photo, Tag } from './entities.js';

class Undone extends Error {}

/** Sees every query, so that none goes a way of its own. */
class Listening implements EntitySubscriberInterface {
  beforeQuery(): void {}
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await setImmediate();
};

/** Whether a promise has not been settled yet. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const late = Symbol();
  return (await Promise.race([promise, setImmediate(late)])) === late;
}

/** Two libraries in one process do not see each other's locks, so the other process is of the same one. */
const DRIVERS: readonly (readonly [string, typeof BetterSqlite])[] = [
  ['better-sqlite3', BetterSqlite],
  ...(LIBSQL ? [['libsql', LIBSQL as typeof BetterSqlite] as const] : []),
];

const busyTimeoutOf = (connection: BetterSqlite.Database): unknown =>
  connection.prepare('PRAGMA busy_timeout').raw().all();

describe.each(DRIVERS)('TypeOrmAdapter on SQLite by %s, beside transactions of the application', (_, Database) => {
  let files: TestDatabase;
  let file: string;
  let opened: DataSource[];
  /** Every connection that was made, in order. */
  let connections: BetterSqlite.Database[];

  beforeEach(async () => {
    files = await createDatabase('sqlite');
    file = files.url.slice('sqlite:'.length);
    opened = [];
    connections = [];
  });
  afterEach(async () => {
    for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy();
    await files.drop();
  });

  const open = async (options: Partial<DataSourceOptions> = {}): Promise<DataSource> => {
    const prepareDatabase = (connection: BetterSqlite.Database): void => void connections.push(connection);
    const merged = {
      ...files.options,
      driver: Database,
      entities: ENTITIES,
      synchronize: opened.length === 0,
      prepareDatabase,
      ...options,
    };
    const dataSource = await new DataSource(merged as DataSourceOptions).initialize();
    opened.push(dataSource);
    return dataSource;
  };
  const tagsBy = async (adapter: TypeOrmAdapter): Promise<unknown[]> =>
    (await adapter.execute(adapter.prepare('all', Tag, { order: { name: 'ASC' } }))).rows!.map((row) => row['name']);

  /** A transaction of another request, which ends when it is told to. */
  function begin(dataSource: DataSource, name: string) {
    let end!: (error?: Error) => void;
    const ended = new Promise<void>((resolve, reject) => (end = (error) => (error ? reject(error) : resolve())));
    const transaction = dataSource.transaction(async (manager) => {
      await manager.insert(Tag, { name });
      await ended;
    });
    transaction.catch(() => undefined);
    return {
      commit: async () => (end(), await transaction),
      rollBack: async () => (end(new Undone()), await expect(transaction).rejects.toThrow(Undone)),
    };
  }

  const ways: Record<string, { listens?: boolean; kept?: boolean }> = {
    'kept statements': { kept: true },
    'statements that are not kept': {},
    'statements that a subscriber sees': { listens: true, kept: true },
  };

  describe.each(Object.entries(ways))('by %s', (_, { listens = false, kept = false }) => {
    const adapterOf = (dataSource: DataSource): TypeOrmAdapter =>
      new TypeOrmAdapter(dataSource, { preparedStatements: kept });
    const listening = listens ? { subscribers: [Listening] } : {};
    const find = async (adapter: TypeOrmAdapter, name: string): Promise<unknown> =>
      (await adapter.first(adapter.prepare('all', Tag, { where: { name }, keepPrepared: true })))?.['name'];
    const weigh = async (adapter: TypeOrmAdapter, weight: number): Promise<number> =>
      (await adapter.execute(adapter.prepare('updateAll', Tag, { set: { weight }, keepPrepared: true }))).count;

    it.each([{}, { enableWAL: true }])(
      'reads of a file see what is committed, and wait for nobody (%o)',
      async (log) => {
        const dataSource = await open({ ...log, ...listening });
        const adapter = adapterOf(dataSource);
        await adapter.insert(Tag, { name: 'before' });
        const other = begin(dataSource, 'other');
        await turns(2);
        expect(await find(adapter, 'other')).toBeUndefined();
        expect(await tagsBy(adapter)).toEqual(['before']);
        await other.commit();
        expect(await find(adapter, 'other')).toBe('other');
        expect(await tagsBy(adapter)).toEqual(['before', 'other']);
      },
    );

    it.each<[string, object]>([
      ['in memory', { database: ':memory:' }],
      [
        'that one connection has for itself',
        { prepareDatabase: (db: BetterSqlite.Database) => db.pragma('locking_mode = EXCLUSIVE') },
      ],
    ])('reads of a database %s wait for the end of the transaction', async (_title, options) => {
      const dataSource = await open({ ...options, ...listening });
      const adapter = adapterOf(dataSource);
      expect(await tagsBy(adapter)).toEqual([]);
      const other = begin(dataSource, 'other');
      await turns(2);
      const reads = [find(adapter, 'other'), tagsBy(adapter)];
      await turns(5);
      for (const read of reads) expect(await isPending(read)).toBe(true);
      await other.rollBack();
      expect(await Promise.all(reads)).toEqual([undefined, []]);
    });

    it('writes wait for the end of the transaction, and are undone by no rollback', async () => {
      const dataSource = await open(listening);
      const adapter = adapterOf(dataSource);
      await adapter.insert(Tag, { name: 'before' });
      const other = begin(dataSource, 'other');
      await turns(2);
      const writes = [
        adapter.insert(Tag, { name: 'ours' }),
        weigh(adapter, 7),
        adapter.delete(Tag, { name: 'before' }),
      ];
      await turns(5);
      for (const write of writes) expect(await isPending(write)).toBe(true);
      await other.rollBack();
      await Promise.all(writes);
      expect(await tagsBy(adapter)).toEqual(['ours']);
    });

    it('writes wait for a transaction that TypeORM knows nothing of', async () => {
      const dataSource = await open(listening);
      const adapter = adapterOf(dataSource);
      await dataSource.query('BEGIN');
      const written = adapter.insert(Tag, { name: 'ours' });
      await turns(5);
      expect(await isPending(written)).toBe(true);
      await dataSource.query('ROLLBACK');
      await written;
      expect(await tagsBy(adapter)).toEqual(['ours']);
    });

    it('a write comes between transactions of which one begins in the turn in which the last one ends', async () => {
      const dataSource = await open(listening);
      const adapter = adapterOf(dataSource);
      let begun = 0;
      const more = new AbortController();
      const transactions = (async () => {
        for (; !more.signal.aborted && begun < 1000; begun++) await dataSource.transaction(() => turns(3));
      })();
      await turns(1);
      await adapter.insert(Tag, { name: 'ours' });
      more.abort();
      await transactions;
      expect(begun).toBeLessThan(5);
    });

    describe('a call inside a transaction without its manager', () => {
      useImpatience();

      it('gives up, and says what it wants', async () => {
        const dataSource = await open(listening);
        const adapter = adapterOf(dataSource);
        await dataSource.transaction(async (manager) => {
          const calls = [adapter.insert(Tag, { name: 'ours' }), weigh(adapter, 7)];
          for (const call of await Promise.allSettled(calls)) {
            expect(call).toMatchObject({ reason: { code: 'ERR_SESSION_UNAVAILABLE', table: 'tags' } });
            expect(String((call as PromiseRejectedResult).reason)).toContain('wants { manager }');
          }
          await adapter.within(manager).insert(Tag, { name: 'inside' });
        });
        expect(await tagsBy(adapter)).toEqual(['inside']);
      });
    });

    it('a write waits for the lock of another process, and the event loop goes on', async () => {
      const dataSource = await open(listening);
      const adapter = adapterOf(dataSource);
      const timeout = busyTimeoutOf(connections[0]!);
      const other = new Database(file);
      other.exec('BEGIN IMMEDIATE');
      const begun = performance.now();
      const writes = [adapter.insert(Tag, { name: 'ours' }), weigh(adapter, 7), adapter.insertAll(Photo, MANY)];
      await turns(5);
      for (const write of writes) expect(await isPending(write)).toBe(true);
      // Five seconds is what TypeORM's own connection would have waited, all at once.
      expect(performance.now() - begun).toBeLessThan(5000);
      other.exec('COMMIT');
      other.close();
      await Promise.all(writes);
      expect(await tagsBy(adapter)).toEqual(['ours']);
      expect(busyTimeoutOf(connections[0]!)).toEqual(timeout);
    });

    it('a read waits for the commit of another process', async () => {
      const adapter = adapterOf(await open(listening));
      await adapter.insert(Tag, { name: 'a' });
      expect(await tagsBy(adapter)).toEqual(['a']);
      const other = new Database(file);
      other.exec('BEGIN EXCLUSIVE');
      const reads = [find(adapter, 'a'), tagsBy(adapter)];
      await turns(5);
      for (const read of reads) expect(await isPending(read)).toBe(true);
      other.close();
      expect(await Promise.all(reads)).toEqual(['a', ['a']]);
    });
  });

  it('gives up a lock of another process after five seconds, and says so', async () => {
    const adapter = new TypeOrmAdapter(await open());
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    const begun = performance.now();
    const written = adapter.insert(Tag, { name: 'ours' });
    await expect(written).rejects.toThrow(SessionsUnavailableError);
    await expect(written).rejects.toThrow('a lock of the database file');
    expect(performance.now() - begun).toBeGreaterThan(4900);
    other.close();
    expect(await tagsBy(adapter)).toEqual([]);
  });

  describe('writes of one turn of the event loop', () => {
    const writes = (adapter: EctoAdapter): Promise<unknown>[] =>
      ['a', 'b', 'c', 'd'].map((name) => adapter.insert(Tag, { name }, { keepPrepared: 'tag', joint: true }));

    it('are made before a transaction that begins in it', async () => {
      const dataSource = await open();
      const adapter = new TypeOrmAdapter(dataSource);
      await Promise.all(writes(adapter));
      await adapter.execute(adapter.prepare('deleteAll', Tag));
      const writing = writes(adapter);
      await new Promise((resolve) => {
        process.nextTick(resolve);
      });
      await dataSource.transaction(async () => {
        await Promise.all(writing);
      });
      expect(await tagsBy(adapter)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('wait for the end of a transaction that is open, and are no part of it', async () => {
      const dataSource = await open();
      const adapter = new TypeOrmAdapter(dataSource);
      const other = begin(dataSource, 'other');
      await turns(2);
      const writing = writes(adapter);
      await turns(2);
      for (const write of writing) expect(await isPending(write)).toBe(true);
      await other.rollBack();
      await Promise.all(writing);
      expect(await tagsBy(adapter)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('wait for the lock of another process, and then each has its own outcome', async () => {
      const adapter = new TypeOrmAdapter(await open());
      await adapter.insert(Tag, { name: 'c' });
      const other = new Database(file);
      other.exec('BEGIN IMMEDIATE');
      const writing = writes(adapter);
      await turns(5);
      for (const write of writing) expect(await isPending(write)).toBe(true);
      other.exec('COMMIT');
      other.close();
      const outcomes = await Promise.allSettled(writing);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
      expect(await tagsBy(adapter)).toEqual(['a', 'b', 'c', 'd']);
    });
  });

  describe('reads of one turn of the event loop', () => {
    const JOURNALS = [{}, { enableWAL: true }];
    const LOGGED = { enableWAL: true };
    const inserted = "INSERT INTO tags (name) VALUES ('a')";

    /** What reads how many tags without a weight there are, at once; the first time it opens the connection that reads. */
    async function counter(options: object): Promise<{ adapter: TypeOrmAdapter; count: () => unknown }> {
      const adapter = new TypeOrmAdapter(await open(options));
      const all = adapter.prepare('all', Tag, { where: { weight: IsNull() }, keepPrepared: true });
      await adapter.fetch(all);
      return { adapter, count: () => (adapter.fetch(all) as readonly unknown[]).length };
    }

    it('are of one time, which is over before anybody goes on who waits', async () => {
      const { count } = await counter(LOGGED);
      const other = new Database(file);
      for (let before = 0; before < 3; before++) {
        expect([count(), count()]).toEqual([before, before]);
        other.exec(`INSERT INTO tags (name) VALUES ('${before}')`);
        expect(count()).toBe(before);
        await Promise.resolve();
        expect(count()).toBe(before + 1);
        await Promise.resolve();
      }
      other.close();
    });

    it.each(JOURNALS)('see what was written in it (%o)', async (log) => {
      const { adapter, count } = await counter(log);
      await adapter.insert(Tag, { name: 'a' });
      expect([count(), count()]).toEqual([1, 1]);
      const weighed = adapter.execute(adapter.prepare('updateAll', Tag, { set: { weight: 1 }, keepPrepared: true }));
      expect([count(), count()]).toEqual([0, 0]);
      await weighed;
    });

    it.each(JOURNALS)('make nobody wait who writes (%o)', async (log) => {
      const { count } = await counter(log);
      connections[0]!.pragma('busy_timeout = 0');
      expect([count(), count()]).toEqual([0, 0]);
      connections[0]!.exec(inserted);
      await Promise.resolve();
      expect(count()).toBe(1);
    });

    it('that decide on what is written next are each of their own time', async () => {
      const { adapter, count } = await counter(LOGGED);
      await adapter.withLock('tags', async () => {
        expect([count(), count()]).toEqual([0, 0]);
        connections[0]!.exec(inserted);
        expect(count()).toBe(1);
      });
    });

    describe('hold the lock of the log', () => {
      const another = 'INSERT INTO tags (name) VALUES (hex(randomblob(8)))';

      /** Whether the log cannot be started over, once more is committed. */
      const isLocked = (): boolean => {
        const other = new Database(file, { timeout: 0 });
        other.exec(another);
        const { busy } = other.prepare('PRAGMA wal_checkpoint(RESTART)').get() as { busy: number };
        other.close();
        return busy === 1;
      };

      /** Two reads of one turn, of which the second one takes the lock. */
      async function readers(): Promise<Awaited<ReturnType<typeof counter>>> {
        const read = await counter(LOGGED);
        await turns(1);
        connections[0]!.exec(another);
        expect(read.count()).toBe(1);
        await Promise.resolve();
        expect(isLocked()).toBe(false);
        connections[0]!.exec(another);
        expect(read.count()).toBe(3);
        await Promise.resolve();
        return read;
      }

      it('from the second one to the end of the turn, and see what is committed meanwhile', async () => {
        const { count } = await readers();
        expect(isLocked()).toBe(true);
        expect(count()).toBe(4);
        await turns(1);
        expect(isLocked()).toBe(false);
      });

      it.each([
        ['of the application', ({ dataSource }: TypeOrmAdapter) => dataSource.query(another)],
        ['of the library', (adapter: TypeOrmAdapter) => adapter.insert(Tag, { name: 'a' }, { keepPrepared: true })],
      ])('no longer than to a statement %s', async (_, write) => {
        const { adapter, count } = await readers();
        await write(adapter);
        expect(isLocked()).toBe(false);
        for (let read = 0; read < 3; read++) {
          count();
          await Promise.resolve();
        }
        expect(isLocked()).toBe(false);
      });
    });

    it('may be the last ones', async () => {
      const { count } = await counter(LOGGED);
      expect([count(), count()]).toEqual([0, 0]);
      connections[0]!.close();
      await turns(1);
    });
  });

  it('many rows are inserted together, beside the transaction', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    const other = begin(dataSource, 'other');
    await turns(2);
    const inserted = adapter.insertAll(Photo, MANY);
    expect(await isPending(inserted)).toBe(true);
    await other.rollBack();
    expect(await inserted).toBe(MANY.length);
    await expect(adapter.insertAll(Photo, [...MANY, { ...MANY[0], id: 1 }])).rejects.toThrow('exists already');
    expect((await adapter.execute(adapter.prepare('all', Photo, { count: true }))).count).toBe(MANY.length);
  });

  it('relations come as they are committed', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    const id = uuidv7();
    await adapter.insert(Person, { id, email: 'a@example.org', name: 'Ann' });
    await adapter.insert(Photo, { title: 'a', ownerId: id });
    const renamed = dataSource.transaction(async (manager) => {
      await manager.update(Person, { id }, { name: 'Bob' });
      const { rows } = await adapter.execute(adapter.prepare('all', Photo, { relations: { owner: true } }));
      expect(rows).toMatchObject([{ owner: { name: 'Ann' } }]);
      throw new Undone();
    });
    await expect(renamed).rejects.toThrow(Undone);
  });

  it('what reads before it writes does so after a transaction that does the same, whenever that begins', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    const addFirst = (to: EctoAdapter) =>
      to.withLock('tags', async (inside) => {
        const { count } = await inside.execute(inside.prepare('all', Tag, { count: true, currentRows: true }));
        if (count === 0) await inside.insert(Tag, { name: uuidv7().slice(-12) });
      });
    /** So many microtasks, in which others have theirs. */
    const microtasks = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await Promise.resolve();
    };
    for (let round = 0; round < 60; round++) {
      await adapter.delete(Tag, {}).catch(() => undefined);
      const transaction = dataSource.transaction(async (manager) => {
        await microtasks(round % 7);
        await addFirst(adapter.within(manager));
        await turns(round % 3);
      });
      const others = Array.from({ length: 3 }, async (_, i) => {
        await microtasks((round * (i + 1)) % 40);
        await addFirst(adapter);
      });
      await Promise.all([transaction, ...others]);
      expect(await tagsBy(adapter)).toHaveLength(1);
    }
  });

  it('a checkout is in nobody’s transaction either', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    const other = begin(dataSource, 'other');
    await turns(2);
    const written = adapter.checkout((one) => one.insert(Tag, { name: 'ours' }));
    await turns(2);
    await other.rollBack();
    await written;
    expect(await tagsBy(adapter)).toEqual(['ours']);
  });

  describe('the connection that reads', () => {
    const readAtOnce = (adapters: readonly TypeOrmAdapter[]) => Promise.all(adapters.map(tagsBy));

    it('is one for all adapters, and closed together with TypeORM’s, also where that is opened anew', async () => {
      const dataSource = await open({ enableWAL: true });
      const adapters = Array.from({ length: 3 }, () => new TypeOrmAdapter(dataSource));
      await readAtOnce([...adapters, ...adapters]);
      expect(connections).toHaveLength(3);
      await dataSource.destroy();
      expect(connections.map((connection) => connection.open)).toEqual([false, false, false]);
      // That of libsql ends with its statements, whenever these are collected.
      expect(existsSync(`${file}-wal`) && Database !== LIBSQL).toBe(false);
      await expect(tagsBy(adapters[0]!)).rejects.toThrow('not open');
      await dataSource.initialize();
      await readAtOnce(adapters);
      expect(connections.map((connection) => connection.open)).toEqual([false, false, false, true, true, true]);
    });

    it('is closed also where it was being opened', async () => {
      let prepare!: () => void;
      const prepared = new Promise<void>((resolve) => (prepare = resolve));
      let opening!: () => void;
      const opens = new Promise<void>((resolve) => (opening = resolve));
      const dataSource = await open({
        prepareDatabase: (connection: BetterSqlite.Database) => {
          if (connections.push(connection) === 1) return undefined;
          opening();
          return prepared;
        },
      });
      const read = tagsBy(new TypeOrmAdapter(dataSource));
      await opens;
      await dataSource.destroy();
      prepare();
      await expect(read).rejects.toThrow('not open');
      expect(connections.map((connection) => connection.open)).toEqual([false, false]);
    });

    it('is tried again where it could not be opened', async () => {
      let fails = false;
      const dataSource = await open({
        prepareDatabase: () => {
          if (fails) throw new Error('no such extension');
        },
      });
      const adapter = new TypeOrmAdapter(dataSource);
      fails = true;
      await expect(tagsBy(adapter)).rejects.toThrow('no such extension');
      fails = false;
      expect(await tagsBy(adapter)).toEqual([]);
    });

    it('is made as TypeORM makes its own, but waits for no lock, and writes nothing', async () => {
      const made: { name: string | undefined; options: BetterSqlite.Options | undefined; pragmas: string[] }[] = [];
      class Watched extends Database {
        readonly made: (typeof made)[number];
        constructor(name?: string, options?: BetterSqlite.Options) {
          super(name, options);
          made.push((this.made = { name, options, pragmas: [] }));
        }
        override pragma(source: string, options?: BetterSqlite.PragmaOptions): unknown {
          this.made.pragmas.push(source);
          return super.pragma(source, options);
        }
      }
      const verbose = (): void => undefined;
      const dataSource = await open({
        driver: Watched,
        verbose,
        timeout: 1234,
        key: 'secret',
      });
      await tagsBy(new TypeOrmAdapter(dataSource));
      const [own, reading] = made;
      expect(reading!.options).toEqual({ ...own!.options, timeout: 0, fileMustExist: true });
      expect([own!.pragmas[0], reading!.pragmas[0]]).toEqual(['key = "secret"', 'key = "secret"']);
      expect(() => connections[1]!.exec('DELETE FROM tags')).toThrow('readonly');
    });

    it.each([
      ['delete', {}],
      ['wal', { enableWAL: true }],
      // What the file was made with is not what the options say.
      ['truncate', { prepareDatabase: (db: BetterSqlite.Database) => db.pragma('journal_mode = TRUNCATE') }],
    ])('leaves the journal as it is: %s', async (mode, options) => {
      const dataSource = await open(options as Partial<DataSourceOptions>);
      await tagsBy(new TypeOrmAdapter(dataSource));
      expect(await dataSource.query('PRAGMA journal_mode')).toEqual([{ journal_mode: mode }]);
    });

    it('has the files that TypeORM’s has attached', async () => {
      const Elsewhere = new EntitySchema<{ id: number }>({
        name: 'Elsewhere',
        database: 'elsewhere.sqlite',
        columns: { id: { type: 'int', primary: true } },
      });
      const dataSource = await open({ entities: [Elsewhere] });
      const adapter = new TypeOrmAdapter(dataSource);
      await adapter.insert(Elsewhere, { id: 1 });
      expect((await adapter.execute(adapter.prepare('all', Elsewhere))).rows).toEqual([{ id: 1 }]);
      expect(existsSync(join(dirname(file), 'elsewhere.sqlite'))).toBe(true);
    });

    it('answers at once, and sees what was written just now', async () => {
      const adapter = new TypeOrmAdapter(await open());
      const one = adapter.prepare('all', Tag, { where: { name: 'a' }, keepPrepared: true });
      await adapter.first(one);
      await adapter.insert(Tag, { name: 'a' });
      expect(adapter.first(one)).toEqual({ name: 'a', weight: null });
      await dataSourceOf(adapter).query('ALTER TABLE tags ADD COLUMN more int');
      expect(adapter.first(one)).toEqual({ name: 'a', weight: null });
    });
  });
});

const dataSourceOf = ({ dataSource }: TypeOrmAdapter): DataSource => dataSource;

/** More rows than one statement takes. */
const MANY = Array.from({ length: 10_001 }, (_, position) => ({
  title: 'photo', caption: 'many', album: 'many', position, views: position, rating: position, hidden: true,
})); // prettier-ignore
