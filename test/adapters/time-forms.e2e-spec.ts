import * as fc from 'fast-check';
import {
  DataSource,
  type DataSourceOptions,
  type FindOperator,
  In,
  LessThan,
  LessThanOrEqual,
  MoreThan,
  MoreThanOrEqual,
} from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ColumnMapping, later, param, SessionsTable, TypeOrmAdapter } from '@app/sessions';
import {
  createDatabase,
  type DatabaseName,
  describeDatabases,
  isMysql,
  mysqlAlike,
  type TestDatabase,
} from '../support/databases.js';
import { digestOf } from '../support/digest.js';

const TEXTS = ['', '.SSS', '.SSSSSS'].flatMap((fraction) =>
  ['', 'Z', '+00:00'].flatMap((end) => [` HH:mm:ss${fraction}${end}`, `THH:mm:ss${fraction}${end}`]),
);
const precisions = (...all: number[]): ColumnMapping[] => all.map((precision) => ({ precision }));
const timestamps = (type: 'timestamp' | 'timestamptz'): ColumnMapping[] =>
  precisions(0, 1, 3, 6).map((mapping) => ({ ...mapping, type }));
const NUMBERS: ColumnMapping[] = [{ form: 'seconds' }, { form: 'milliseconds' }, { form: 'seconds', type: 'int' }];

const FORMS: Readonly<Record<DatabaseName, readonly ColumnMapping[]>> = mysqlAlike({
  sqlite: [...TEXTS.map((text) => ({ form: `YYYY-MM-DD${text}` }) as ColumnMapping), ...NUMBERS],
  postgres: [...timestamps('timestamp'), ...timestamps('timestamptz'), ...NUMBERS],
  mariadb: [...precisions(0, 2, 3, 6), ...timestamps('timestamp'), ...NUMBERS],
});

/** Near to each other, so that comparisons are close, within the years that every form can hold. */
const times = fc
  .tuple(fc.constantFrom(1e9, 1_792_887_000, 2_147_483_000), fc.integer({ min: 0, max: 4000 }))
  .map(([seconds, ms]) => new Date(seconds * 1000 + ms));

type Compared = readonly [
  name: string,
  operator: (time: Date) => FindOperator<Date> | Date,
  holds: (a: number, b: number) => boolean,
];
const COMPARISONS: readonly Compared[] = [
  ['=', (time) => time, (a, b) => a === b],
  ['In', (time) => In([time, new Date(0)]), (a, b) => a === b],
  ['>', MoreThan, (a, b) => a > b],
  ['>=', MoreThanOrEqual, (a, b) => a >= b],
  ['<', LessThan, (a, b) => a < b],
  ['<=', LessThanOrEqual, (a, b) => a <= b],
];

/** A data source on a connection that is not in UTC, where the database has such a thing. */
async function inAnotherZone(options: DataSourceOptions): Promise<DataSource> {
  const one = isMysql(options.type) ? { extra: { connectionLimit: 1 } } : {};
  const zoned = options.type === 'postgres' ? { extra: { options: '-c TimeZone=Asia/Tokyo' } } : one;
  const dataSource = await new DataSource({ ...options, ...zoned }).initialize();
  if ('extra' in one) await dataSource.query(`SET time_zone = '+09:00'`);
  return dataSource;
}

describeDatabases('forms of times', (name) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(name);
  });
  afterAll(() => database.drop());

  // The dialect of MySQL has no setting for one statement, and MariaDB takes both; MySQL its own.
  const types =
    name === 'mariadb' ? (['mariadb', 'mysql'] as const) : ([name === 'sqlite' ? 'better-sqlite3' : name] as const);
  const cases = types.flatMap((type) =>
    FORMS[name].map((mapping) => ({ type, mapping, title: JSON.stringify(mapping) })),
  );

  describe.each(cases)('$title by $type', ({ type, mapping }) => {
    let dataSource: DataSource;
    let adapter: TypeOrmAdapter;
    const { entity } = SessionsTable({
      table: `t${cases.findIndex((one) => one.type === type && one.mapping === mapping)}`,
      columns: { expiresAt: mapping },
    });

    beforeAll(async () => {
      const options = { ...database.options, type, entities: [entity], synchronize: true } as DataSourceOptions;
      dataSource = await inAnotherZone(options);
      adapter = new TypeOrmAdapter(dataSource);
    });
    afterAll(() => dataSource.destroy());

    const write = async (expiresAt: Date): Promise<string> => {
      const id = adapter.autogenerate('binaryId')!;
      const common = { authTokenDigest: digestOf(id), data: {}, createdAt: new Date(), updatedAt: new Date() };
      await adapter.insert(entity, { id, expiresAt, ...common });
      return id;
    };
    const read = async (id: string): Promise<Date> => {
      const { rows } = await adapter.execute(adapter.prepare('all', entity, { where: { id }, select: ['expiresAt'] }));
      return rows![0]!['expiresAt'] as Date;
    };

    it('come back as they are stored: never later than they were given, by less than a step', async () => {
      const stepMs = adapter.init([entity]).tables.get(entity)!.columns.get('expiresAt')!.times?.stepMs ?? 1;
      await fc.assert(
        fc.asyncProperty(times, async (time) => {
          expect(await read(await write(time))).toEqual(new Date(Math.floor(time.getTime() / stepMs) * stepMs));
        }),
        { numRuns: 10 },
      );
    });

    it('are compared as they are read', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(times, { minLength: 2, maxLength: 6 }), times, async (stored, time) => {
          await adapter.execute(adapter.prepare('deleteAll', entity));
          const ids = await Promise.all(stored.map(write));
          const values = new Map(await Promise.all(ids.map(async (id) => [id, (await read(id)).getTime()] as const)));
          for (const [, operator, holds] of COMPARISONS) {
            for (const compared of [time, new Date([...values.values()][0]!)]) {
              const { rows } = await adapter.execute(
                adapter.prepare('all', entity, { where: { expiresAt: operator(compared) }, select: ['id'] }),
              );
              const expected = ids.filter((id) => holds(values.get(id)!, compared.getTime()));
              expect(rows!.map(({ id }) => String(id)).toSorted()).toEqual(expected.toSorted());
            }
          }
          const ordered = await adapter.execute(
            adapter.prepare('all', entity, { order: { expiresAt: 'ASC' }, select: ['expiresAt'] }),
          );
          const sorted = [...values.values()].toSorted((a, b) => a - b);
          expect(ordered.rows!.map(({ expiresAt }) => (expiresAt as Date).getTime())).toEqual(sorted);
        }),
        { numRuns: 5 },
      );
    });

    it('are later than before, or as given where that is later', async () => {
      const id = await write(new Date('2026-01-01T00:00:00.900Z'));
      const before = await read(id);
      const change = adapter.prepare('updateAll', entity, { set: { expiresAt: later(param('now')) }, where: { id } });
      await adapter.execute(change, { now: new Date('2026-01-01T00:00:00.900Z') });
      const first = await read(id);
      expect(first.getTime()).toBeGreaterThan(before.getTime());
      await adapter.execute(change, { now: new Date('2025-01-01T00:00:00Z') });
      expect((await read(id)).getTime()).toBeGreaterThan(first.getTime());
      await adapter.execute(change, { now: new Date('2027-01-01T00:00:00Z') });
      expect(await read(id)).toEqual(new Date('2027-01-01T00:00:00Z'));
    });
  });
});
