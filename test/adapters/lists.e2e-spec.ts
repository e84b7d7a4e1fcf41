import { DataSource, EntitySchema, In, Not } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { param, TypeOrmAdapter } from '@app/sessions';
import { createDatabase, describeDatabases, isMysql, mysqlAlike, type TestDatabase } from '../support/databases.js';
import { planOf, StatementLog } from '../support/statement-log.js';

/** So many that it is worth the while to look into an index for twenty of them. */
const ROWS = 20_000;
const uuid = (n: number): string => `0190a1b2-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const BYTES = mysqlAlike({ postgres: 'bytea', mariadb: 'varbinary', sqlite: 'blob' });

describeDatabases('a list', (name) => {
  const Thing = new EntitySchema<Record<string, unknown>>({
    name: 'Thing',
    tableName: 'things',
    columns: {
      id: { type: 'uuid', primary: true },
      name: { type: 'varchar', length: 40 },
      size: { type: 'bigint', nullable: true },
      bytes: { type: BYTES[name], ...(isMysql(name) && { length: 8 }), nullable: true },
    },
    indices: [{ columns: ['name'] }, { columns: ['size'] }],
  });
  const log = new StatementLog();
  let database: TestDatabase;
  let dataSource: DataSource;
  let adapter: TypeOrmAdapter;
  beforeAll(async () => {
    database = await createDatabase(name);
    const options = { ...database.options, entities: [Thing], synchronize: true, logging: true, logger: log };
    dataSource = await new DataSource(options).initialize();
    adapter = new TypeOrmAdapter(dataSource);
    const rows = Array.from({ length: ROWS }, (_, i) => ({ id: uuid(i), name: `name ${i}`, size: i }));
    await adapter.insertAll(Thing, rows);
    for (const bytes of [Buffer.from([0]), Buffer.from([0xff, 0]), Buffer.from([0xff, 1])])
      await adapter.insert(Thing, { name: 'bytes', bytes });
    await dataSource.query(isMysql(name) ? 'ANALYZE TABLE things' : 'ANALYZE');
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database.drop();
  });

  /** The last statement that finds rows. */
  const sentBy = async (where: object, params = {}, keepPrepared = false) => {
    log.sent.length = 0;
    const { count } = await adapter.execute(
      adapter.prepare('all', Thing, { where: where as never, select: ['id'], keepPrepared }),
      params,
    );
    expect(log.sent).toHaveLength(1);
    return { ...log.sent[0]!, count };
  };
  const ids = (length: number): string[] => Array.from({ length }, (_, i) => uuid(i));

  it('is one value of one statement, which is the same for any number of them', async () => {
    const few = await sentBy({ id: In(ids(2)) });
    const many = await sentBy({ id: In(ids(ROWS)) });
    expect([few.count, many.count]).toEqual([2, ROWS]);
    expect(many.text).toBe(few.text);
    expect([few.parameters.length, many.parameters.length]).toEqual([1, 1]);
  });

  it.each([2, 20])('of %i values finds rows by the index of their column', async (length) => {
    const indexes = { id: /PRIMARY|PK_|sqlite_autoindex/, name: /IDX_/, size: /IDX_/ };
    const values = {
      id: ids(length),
      name: ids(length).map((_, i) => `name ${i}`),
      size: ids(length).map((_, i) => i),
    };
    for (const [column, index] of Object.entries(indexes)) {
      const list = values[column as keyof typeof values];
      for (const sent of [
        await sentBy({ [column]: In<unknown>(list) }),
        await sentBy({ [column]: In(param('list')) }, { list }),
        await sentBy({ [column]: In(param('list')) }, { list }, true),
      ]) {
        expect(sent.count).toBe(length);
        expect(await planOf(name, dataSource, sent)).toMatch(index);
      }
    }
  });

  it('of bytes holds those that are the same', async () => {
    const find = async (bytes: unknown, params = {}): Promise<unknown> =>
      (
        await adapter.execute(
          adapter.prepare('all', Thing, { where: { name: 'bytes', bytes }, select: ['bytes'] }),
          params,
        )
      ).rows;
    const [zero, wanted, other] = [[0], [0xff, 1], [0xff, 0]].map((bytes) => Buffer.from(bytes));
    expect(await find(In([wanted, zero]))).toHaveLength(2);
    expect(await find(In(param('list')), { list: [wanted, Buffer.from([1])] })).toEqual([{ bytes: wanted }]);
    expect(await find(Not(In([wanted, zero, null])))).toEqual([]);
    expect(await find(Not(In([wanted, zero])))).toEqual([{ bytes: other }]);
  });

  describe('in a query builder', () => {
    it('is the same', async () => {
      const builder = adapter.queryBuilder(Thing, 'thing', { id: In(ids(500)), name: Not(In(['name 1', 'name 2'])) });
      expect(await builder.getCount()).toBe(498);
    });
  });
});
