// Before any date is made: the zone is read once.
process.env['TZ'] = 'America/New_York';

import { DataSource, EntitySchema, LessThan } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TypeOrmAdapter } from '@app/sessions';
import { createDatabase, describeDatabases, isMysql, type TestDatabase } from '../support/databases.js';

const Moment = new EntitySchema<{ id: string; at: Date }>({
  name: 'Moment',
  columns: { id: { type: 'uuid', primary: true }, at: { type: Date, precision: 3 } },
});

const ZonedMoment = new EntitySchema<{ id: string; at: Date }>({
  name: 'ZonedMoment',
  columns: { id: { type: 'uuid', primary: true }, at: { type: 'timestamptz', precision: 3 } },
});

/** Both sides of the hours that New York has twice, or not at all, and of the epoch. */
const MOMENTS = [
  '1000-01-01T00:00:00.000Z',
  '1969-12-31T23:59:59.999Z',
  '1970-01-01T00:00:00.000Z',
  '2026-03-08T06:59:59.999Z',
  '2026-03-08T07:30:00.000Z',
  '2026-11-01T05:30:00.001Z',
  '2026-11-01T06:30:00.001Z',
  '9999-12-31T23:59:59.999Z',
].map((text) => new Date(text));

it('this process is not in UTC', () => {
  expect(new Date('2026-01-01T00:00:00Z').getTimezoneOffset()).toBe(300);
});

describeDatabases('timestamps in a process that is not in UTC', (name) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  const entities = name === 'postgres' ? [Moment, ZonedMoment] : [Moment];

  beforeAll(async () => {
    database = await createDatabase(name);
    const options = { ...database.options, entities, synchronize: true };
    // A server, or a session, that is in another zone still.
    const zoned = name === 'postgres' ? { extra: { options: '-c TimeZone=Asia/Tokyo' } } : {};
    dataSource = await new DataSource({ ...options, ...zoned }).initialize();
    if (isMysql(name)) await dataSource.query(`SET time_zone = '+09:00'`);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  describe.each(entities.map((entity) => [entity.options.name, entity] as const))('%s', (_name, entity) => {
    it('come back as they were given, in their order', async () => {
      const adapter = new TypeOrmAdapter(dataSource);
      await adapter.insertAll(
        entity,
        MOMENTS.toReversed().map((at) => ({ at, id: adapter.autogenerate('binaryId') })),
      );
      const { rows } = await adapter.execute(adapter.prepare('all', entity, { order: { at: 'ASC' }, select: ['at'] }));
      expect(rows!.map((row) => row['at'])).toEqual(MOMENTS);
    });

    it('are found and compared', async () => {
      const adapter = new TypeOrmAdapter(dataSource);
      for (const [i, at] of MOMENTS.entries()) {
        const counted = async (value: unknown) =>
          (await adapter.execute(adapter.prepare('all', entity, { where: { at: value }, count: true }))).count;
        expect(await counted(at)).toBe(1);
        expect(await counted(LessThan(at))).toBe(i);
      }
    });
  });
});
