import { stat } from 'node:fs/promises';
import { DataSource, EntitySchema, In, type DataSourceOptions } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { column, TypeOrmAdapter, type EctoAdapter } from '@app/sessions';
import { dialectOf } from '../../libs/sessions/src/adapters/typeorm/dialects/index.js';
import { lockTransaction, type WaitedLock } from '../../libs/sessions/src/adapters/typeorm/advisory-locks.js';
import { runTransaction } from '../../libs/sessions/src/adapters/typeorm/own-transactions.js';
import { createDatabase, describeDatabases, isMysql, type TestDatabase } from '../support/databases.js';
import { ENTITIES, Person, Photo, Tag } from './entities.js';
import { collect } from './harness.js';

/** More rows of seven columns than one statement takes. */
const MANY = Array.from({ length: 10_001 }, (_, position) => ({
  title: 'photo', caption: 'many', album: 'many', position, views: position, rating: position, hidden: true,
})); // prettier-ignore

describeDatabases('PARITY 2, TypeOrmAdapter and its connections', (name) => {
  let database: TestDatabase;
  let opened: DataSource[];

  beforeEach(async () => {
    database = await createDatabase(name);
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((dataSource) => dataSource.destroy()));
    await database.drop();
  });

  const open = async (options: Partial<DataSourceOptions> = {}): Promise<DataSource> => {
    const merged = { ...database.options, entities: ENTITIES, synchronize: opened.length === 0, ...options };
    const dataSource = await new DataSource(merged as DataSourceOptions).initialize();
    opened.push(dataSource);
    return dataSource;
  };
  const tags = async (adapter: EctoAdapter): Promise<unknown[]> =>
    (await adapter.execute(adapter.prepare('all', Tag, { order: { name: 'ASC' } }))).rows!.map((row) => row['name']);

  it('checkout does all it can on one connection, where the pool has no second one', async () => {
    const adapter = new TypeOrmAdapter(await open({ poolSize: 1 }));
    await adapter.checkout(async (one) => {
      await one.insertAll(Photo, MANY);
      const { rows } = await one.execute(
        one.prepare('updateAll', Photo, { set: { title: 'x' }, where: { position: 1 }, returning: ['title'] }),
      );
      expect(rows).toEqual([{ title: 'x' }]);
      expect(
        await collect(
          one.stream(one.prepare('all', Photo, { relations: { owner: true }, take: 3 }), {}, { maxRows: 2 }),
        ),
      ).toHaveLength(3);
      expect(await one.tryLock('job', (inner) => inner.checkout(async () => 'ran'))).toBe('ran');
    });
  });

  it.runIf(name === 'postgres')('a connection on which a transaction could not begin is in none', async () => {
    const dataSource = await open({ poolSize: 1 });
    const runner = dataSource.createQueryRunner();
    const begun = runTransaction(runner, 'tag', async () => undefined, 'SELECT 1 / 0');
    await expect(begun).rejects.toThrow('division by zero');
    await runner.release();
    expect(await tags(new TypeOrmAdapter(dataSource))).toEqual([]);
  });

  it('checkpoint writes what SQLite’s log holds into its file, in no transaction, and elsewhere has nothing to do', async () => {
    const adapter = new TypeOrmAdapter(await open(name === 'sqlite' ? { enableWAL: true } : {}));
    const size = async () => (name === 'sqlite' ? (await stat(database.url.slice('sqlite:'.length))).size : 0);
    const sizes = [await size()];
    const steps = [
      async () => adapter.checkpoint(),
      async () => adapter.insertAll(Photo, MANY.slice(0, 1000)),
      async () => opened[0]!.transaction(async (manager) => adapter.within(manager).checkpoint()),
      async () => adapter.checkpoint(),
    ];
    for (const step of steps) {
      await step();
      sizes.push(await size());
    }
    const grows = sizes.slice(1).map((after, i) => after > sizes[i]!);
    expect(grows).toEqual(name === 'sqlite' ? [true, false, false, true] : [false, false, false, false]);
  });

  it('checkpoint tells whether statements wait for the disk themselves', async () => {
    expect(await new TypeOrmAdapter(await open()).checkpoint()).toBe(true);
    const logged = await open(name === 'sqlite' ? { enableWAL: true } : {});
    expect(await new TypeOrmAdapter(logged).checkpoint()).toBe(name !== 'sqlite');
    if (name !== 'sqlite') return;
    expect(await new TypeOrmAdapter(await open({ database: ':memory:' })).checkpoint()).toBe(false);
  });

  it.runIf(name === 'postgres')(
    'the commit of a batch of deletes does not wait for the disk, unless it is that of a caller’s transaction',
    async () => {
      const dataSource = await open({ extra: { options: '-c synchronous_commit=on' } });
      const adapter = new TypeOrmAdapter(dataSource);
      await dataSource.query(`
        CREATE TABLE commits (setting text);
        CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO commits VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER commits AFTER DELETE ON tags DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION note_commit()`);
      const commits = () => dataSource.query('SELECT setting FROM commits');
      await adapter.insertAll(
        Tag,
        [1, 2, 3].map((weight) => ({ name: `${weight}`, weight })),
      );
      const options = { order: { weight: 'ASC' }, take: 1, returningMax: 'weight' } as const;
      const prepared = adapter.prepare('deleteAll', Tag, options);
      await dataSource.transaction((manager) => adapter.within(manager).execute(prepared));
      expect(await commits()).toEqual([{ setting: 'on' }]);
      await adapter.execute(prepared);
      expect(await commits()).toEqual([{ setting: 'on' }, { setting: 'off' }]);
      // One that returns no greatest value is not such a batch, and whoever comes next waits as ever.
      await adapter.delete(Tag, { name: '3' });
      expect(await commits()).toEqual([{ setting: 'on' }, { setting: 'off' }, { setting: 'on' }]);
    },
  );

  it.runIf(isMysql(name))('text is found by code points also where its column has another character set', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    await dataSource.query('ALTER TABLE people MODIFY name varchar(50) CHARACTER SET latin1');
    const person = (name: string, i: number) => ({ id: uuidv7(), email: `${i}@example.org`, name });
    await adapter.insertAll(Person, ['Zoë', 'zoe'].map(person));
    for (const where of ['Zoë', In(['Zoë', 'ZOË'])]) {
      const { rows } = await adapter.execute(adapter.prepare('all', Person, { where: { name: where } }));
      expect(rows).toMatchObject([{ name: 'Zoë' }]);
    }
  });

  it('checkout is on the transaction’s connection, inside a transaction', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    await dataSource.transaction((manager) =>
      adapter.within(manager).checkout(async (one) => {
        await one.insert(Tag, { name: 'a' });
        expect(await manager.count(Tag)).toBe(1);
      }),
    );
    expect(await tags(adapter)).toEqual(['a']);
  });

  it('within a transaction that fails nothing is written, by any call', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    await adapter.insert(Tag, { name: 'before', weight: 1 });
    const failing = dataSource.transaction(async (manager) => {
      const inside = adapter.within(manager);
      await inside.insert(Tag, { name: 'a' });
      await inside.insertAll(Photo, MANY);
      await inside.insertAll(Tag, [{ name: 'b' }], { onConflict: 'nothing' });
      await inside.update(Tag, { weight: 2 }, { name: 'before' }, ['weight']);
      await inside.checkout((one) => one.delete(Tag, { name: 'a' }));
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await tags(adapter)).toEqual(['before']);
    expect((await adapter.execute(adapter.prepare('all', Tag, { where: { weight: 1 }, count: true }))).count).toBe(1);
    expect((await adapter.execute(adapter.prepare('all', Photo, { count: true }))).count).toBe(0);
  });

  it('within a transaction the writes before are seen, and a prepared query runs', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    const query = adapter.prepare('all', Tag, { select: ['name'] });
    await dataSource.transaction(async (manager) => {
      await adapter.within(manager).insert(Tag, { name: 'a' });
      expect((await adapter.within(manager).execute(query)).rows).toEqual([{ name: 'a' }]);
    });
  });

  it('a duplicate in the middle of many rows leaves the transaction around it usable', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    await dataSource.transaction(async (manager) => {
      const inside = adapter.within(manager);
      await inside.insert(Tag, { name: 'a' });
      await expect(inside.insertAll(Photo, [...MANY, MANY[0]!])).rejects.toThrow('exists already');
      await inside.insert(Tag, { name: 'b' });
    });
    expect(await tags(adapter)).toEqual(['a', 'b']);
    expect((await adapter.execute(adapter.prepare('all', Photo, { count: true }))).count).toBe(0);
  });

  it('tryLock holds for all adapters of a data source', async () => {
    const dataSource = await open();
    const [one, other] = [new TypeOrmAdapter(dataSource), new TypeOrmAdapter(dataSource)];
    expect(await one.tryLock('job', () => other.tryLock('job', async () => 'ran'))).toBeUndefined();
    expect(await other.tryLock('job', async () => 'ran')).toBe('ran');
  });

  it('tryLock holds for all processes on a server: another data source is kept out, and let in afterwards', async () => {
    const [one, other] = [new TypeOrmAdapter(await open()), new TypeOrmAdapter(await open())];
    // SQLite has no such lock, and is the database of one process.
    const expected = name === 'sqlite' ? 'ran' : undefined;
    expect(await one.tryLock('job', () => other.tryLock('job', async () => 'ran'))).toBe(expected);
    expect(await other.tryLock('job', async () => 'ran')).toBe('ran');
  });

  it('tryLock holds for one database only', async () => {
    const elsewhere = await createDatabase(name);
    const [one, other] = [new TypeOrmAdapter(await open()), new TypeOrmAdapter(await open(elsewhere.options))];
    expect(await one.tryLock('job', () => other.tryLock('job', async () => 'ran'))).toBe('ran');
    await opened.pop()!.destroy();
    await elsewhere.drop();
  });

  it.runIf(name === 'postgres')('a column takes over a time from one with a time zone, and back', async () => {
    const Times = new EntitySchema<Record<string, unknown>>({
      name: 'Times',
      columns: {
        id: { type: 'int', primary: true },
        zoned: { type: 'timestamptz', nullable: true },
        plain: { type: 'timestamp', nullable: true },
      },
    });
    // On a connection whose zone is not that of the port.
    const adapter = new TypeOrmAdapter(
      await open({ entities: [Times], extra: { options: '-c TimeZone=America/New_York' } }),
    );
    const time = new Date('2026-07-01T12:00:00.123Z');
    const row = async () => (await adapter.execute(adapter.prepare('all', Times))).rows![0];
    await adapter.insert(Times, { id: 1, zoned: time });
    await adapter.update(Times, { plain: column('zoned'), zoned: null }, { id: 1 });
    expect(await row()).toEqual({ id: 1, zoned: null, plain: time });
    await adapter.update(Times, { zoned: column('plain'), plain: null }, { id: 1 });
    expect(await row()).toEqual({ id: 1, zoned: time, plain: null });
  });

  it('ensureStarted opens a data source that is not open yet', async () => {
    const dataSource = new DataSource({ ...database.options, entities: ENTITIES });
    opened.push(dataSource);
    await new TypeOrmAdapter(dataSource).ensureStarted();
    expect(dataSource.isInitialized).toBe(true);
  });

  it('an entity that the data source does not have is refused by its name', async () => {
    const Stranger = new EntitySchema({ name: 'Stranger', columns: { id: { type: 'int', primary: true } } });
    const adapter = new TypeOrmAdapter(await open());
    expect(() => adapter.init([Stranger])).toThrow('Stranger');
  });

  it('what TypeORM wrote is read alike, and what the adapter wrote TypeORM reads alike', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    // Not a bigint, which TypeORM reads as a number on SQLite.
    const row = { title: 'a', hidden: true, meta: { a: [1, 'ä'] }, state: 'Public', rating: 0.1 };
    const { id } = await dataSource.getRepository(Photo).save({ ...row });
    expect((await adapter.execute(adapter.prepare('all', Photo, { where: { id } }))).rows).toMatchObject([row]);
    const written = await adapter.insert(Photo, { ...row, title: 'b' });
    expect(await dataSource.getRepository(Photo).findOneBy(written as { id: number })).toMatchObject({
      ...row,
      title: 'b',
    });
  });

  // SQLite is the database of one process, whose transactions are on one connection.
  describe.runIf(name !== 'sqlite')('withLock', () => {
    const COUNTER = { name: 'counter' };
    const read = async (adapter: EctoAdapter, currentRows = true): Promise<number> => {
      const query = adapter.prepare('all', Tag, { where: COUNTER, currentRows });
      return (await adapter.execute(query)).rows![0]!['weight'] as number;
    };
    const count = async (adapter: EctoAdapter): Promise<void> => {
      const weight = (await read(adapter)) + 1;
      await adapter.update(Tag, { weight }, COUNTER);
    };
    const times = <T>(calls: number, call: (i: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: calls }, (_, i) => call(i)));
    /** A promise to be fulfilled from outside. */
    const signal = (): { given: Promise<void>; give: () => void } => {
      let give!: () => void;
      const given = new Promise<void>((resolve) => (give = resolve));
      return { given, give };
    };

    it('has calls wait for those of another process, more of them than there are connections', async () => {
      const [one, other] = [new TypeOrmAdapter(await open()), new TypeOrmAdapter(await open({ poolSize: 3 }))];
      await one.insert(Tag, { ...COUNTER, weight: 0 });
      await times(100, (i) => (i % 2 === 0 ? one : other).withLock('count', count));
      expect(await read(one)).toBe(100);
    });

    it('has callers’ transactions wait for each other and for other calls, more of them than there are connections', async () => {
      const dataSource = await open({ poolSize: 5 });
      const adapter = new TypeOrmAdapter(dataSource);
      await adapter.insert(Tag, { ...COUNTER, weight: 0 });
      await times(60, (i) =>
        i % 3 === 0
          ? adapter.withLock('count', count)
          : i % 3 === 1
            ? adapter.checkout((one) => one.withLock('count', count))
            : dataSource.transaction((manager) => adapter.within(manager).withLock('count', count)),
      );
      expect(await read(adapter)).toBe(60);
    });

    it.each(['commit', 'rollback'] as const)('in the caller’s transaction holds until its %s', async (end) => {
      const [dataSource, elsewhere] = [await open(), new TypeOrmAdapter(await open())];
      const adapter = new TypeOrmAdapter(dataSource);
      await adapter.insert(Tag, { ...COUNTER, weight: 0 });
      const runner = dataSource.createQueryRunner();
      await runner.startTransaction();
      await adapter.within(runner.manager).withLock('count', count);
      // The end of a savepoint is not yet the end.
      for (const failing of [false, true]) {
        await runner.startTransaction();
        await adapter.within(runner.manager).withLock('other', async () => undefined);
        await (failing ? runner.rollbackTransaction() : runner.commitTransaction());
      }
      let waiting = 2;
      const others = [elsewhere, adapter].map((other) =>
        other.withLock('count', async (inside) => {
          waiting--;
          await count(inside);
        }),
      );
      await untilWaiting(dataSource, 2);
      expect(waiting).toBe(2);
      await (end === 'commit' ? runner.commitTransaction() : runner.rollbackTransaction());
      await runner.release();
      await Promise.all(others);
      expect(await read(adapter)).toBe(end === 'commit' ? 3 : 2);
    });

    /** Resolves when so many connections of the database wait for a lock of `withLock`. */
    const untilWaiting = async (dataSource: DataSource, connections: number): Promise<void> => {
      const query =
        name === 'postgres'
          ? "SELECT count(*) AS waiting FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
          : "SELECT COUNT(*) AS waiting FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User lock'";
      const waiting = async (): Promise<number> => {
        const rows: { waiting: unknown }[] = await dataSource.query(query);
        return Number(rows[0]!.waiting);
      };
      await expect.poll(waiting).toBe(connections);
    };

    it('undoes what a function wrote that fails, and lets in the next', async () => {
      const adapter = new TypeOrmAdapter(await open());
      const failing = adapter.withLock('job', async (inside) => {
        await inside.insert(Tag, { name: 'a' });
        await inside.withLock('other', (nested) => nested.insert(Tag, { name: 'b' }));
        throw new Error('rolled back');
      });
      const next = adapter.withLock('job', (inside) => inside.insert(Tag, { name: 'c' }));
      await expect(failing).rejects.toThrow('rolled back');
      await next;
      expect(await tags(adapter)).toEqual(['c']);
    });

    it('leaves no lock on a connection that goes back to the pool', async () => {
      const dataSource = await open({ poolSize: 1 });
      const [adapter, elsewhere] = [new TypeOrmAdapter(dataSource), new TypeOrmAdapter(await open())];
      await adapter.withLock('a', (inside) => inside.withLock('b', (nested) => nested.withLock('a', tags)));
      await dataSource.transaction(async (manager) => {
        const inside = adapter.within(manager);
        for (const lock of ['a', 'b', 'a']) await inside.withLock(lock, tags);
      });
      await expect(adapter.withLock('a', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
      for (const lock of ['a', 'b']) expect(await elsewhere.withLock(lock, async () => 'ran')).toBe('ran');
    });

    it('sees under its lock what others wrote under it before, whatever the isolation of transactions', async () => {
      const options = { isolationLevel: 'REPEATABLE READ' } as Partial<DataSourceOptions>;
      const [one, other] = [new TypeOrmAdapter(await open(options)), new TypeOrmAdapter(await open(options))];
      await one.insert(Tag, { ...COUNTER, weight: 0 });
      await times(30, (i) => [one, other][i % 2]!.withLock('count', async (inside) => {
        const weight = (await read(inside, false)) + 1;
        await inside.update(Tag, { weight }, COUNTER);
      })); // prettier-ignore
      expect(await read(one)).toBe(30);
    });

    describe('currentRows', () => {
      /** The counter as a transaction reads it at first, and after another call has counted: as it likes, and under the lock. */
      const reads = async (
        adapter: EctoAdapter,
        transaction: (fn: (inside: EctoAdapter) => Promise<number[]>) => Promise<number[]>,
      ): Promise<number[]> => {
        await adapter.insert(Tag, { ...COUNTER, weight: 0 });
        return transaction(async (inside) => {
          const before = await read(inside, false);
          await elsewhere.withLock('count', count);
          return [before, await read(inside, false), await inside.withLock('count', (locked) => read(locked))];
        });
      };
      let dataSource: DataSource;
      let adapter: TypeOrmAdapter;
      let elsewhere: TypeOrmAdapter;

      beforeEach(async () => {
        dataSource = await open();
        adapter = new TypeOrmAdapter(dataSource);
        elsewhere = new TypeOrmAdapter(await open());
      });

      it('reads what was written since the caller’s transaction began', async () => {
        const transaction = dataSource.transaction.bind(dataSource);
        // What PostgreSQL reads is the latest by default.
        const seen = [0, isMysql(name) ? 0 : 1, 1];
        expect(await reads(adapter, (fn) => transaction((manager) => fn(adapter.within(manager))))).toEqual(seen);
      });

      it('reads what was written since the lock of another name was taken, as the adapter’s own transactions do', async () => {
        expect(await reads(adapter, (fn) => adapter.withLock('other', fn))).toEqual([0, 1, 1]);
      });

      it('locks nothing where the transaction began under the lock', async () => {
        let missing = 2;
        const { given, give } = signal();
        const inserting = (tag: string): Promise<unknown> =>
          adapter.withLock(tag, async (inside) => {
            const { rows } = await inside.execute(
              inside.prepare('all', Tag, { where: { name: tag }, currentRows: true }),
            );
            if (--missing === 0) give();
            await given;
            if (rows!.length === 0) await inside.insert(Tag, { name: tag });
          });
        await Promise.all([inserting('a'), inserting('b')]);
        expect(await tags(adapter)).toEqual(['a', 'b']);
      });
    });

    it('says what was waited for in vain', async () => {
      const [one, other] = [await open(), await open()];
      const { withLock: lock } = dialectOf(one);
      const impatient: WaitedLock = { ...lock!, wait: (name) => lock!.wait(name, 0.05) };
      await new TypeOrmAdapter(one).withLock('job', () =>
        other.transaction(async ({ queryRunner }) => {
          await expect(lockTransaction(queryRunner!, 'jobs', impatient, ['job'])).rejects.toThrow('for the lock "job"');
        }),
      );
    });

    it.runIf(name === 'postgres')('leaves the settings of the caller’s transaction as they were', async () => {
      const dataSource = await open();
      await dataSource.transaction(async (manager) => {
        await manager.query("SET LOCAL lock_timeout = '7s'");
        await new TypeOrmAdapter(dataSource).within(manager).withLock('job', async () => undefined);
        expect(await manager.query('SHOW lock_timeout')).toEqual([{ lock_timeout: '7s' }]);
      });
    });
  });

  describe('parallel calls', () => {
    it('of one upsert make one row', async () => {
      const adapter = new TypeOrmAdapter(await open());
      const onConflict = { update: ['name'], target: ['email'] };
      const upserts = Array.from({ length: 30 }, (_, i) =>
        adapter.insert(Person, { id: uuidv7(), email: 'a@example.org', name: `${i}` }, { onConflict }),
      );
      await Promise.all(upserts);
      expect((await adapter.execute(adapter.prepare('all', Person, { count: true }))).count).toBe(1);
    });

    it('of a deletion that returns rows return every row once', async () => {
      const adapter = new TypeOrmAdapter(await open());
      await adapter.insertAll(
        Tag,
        Array.from({ length: 100 }, (_, i) => ({ name: `${i}` })),
      );
      const take = adapter.prepare('deleteAll', Tag, { order: { name: 'ASC' }, take: 10, returning: ['name'] });
      const taken: unknown[] = [];
      for (let round = 0; round < 10 && taken.length < 100; round++) {
        const runs = await Promise.all(Array.from({ length: 5 }, () => adapter.execute(take)));
        taken.push(...runs.flatMap(({ rows }) => rows!.map((row) => row['name'])));
      }
      expect(taken).toHaveLength(100);
      expect(new Set(taken).size).toBe(100);
    });
  });
});
