import { DataSource } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import { SessionsTable, UniqueConstraintError } from '@app/sessions';
import { useApplication } from '../support/application.js';
import { DAY } from '../support/clock.js';
import { describeDatabases, type TestDatabase } from '../support/databases.js';
import { errorOf } from '../support/sessions.js';

/** Quotes, with which TypeORM makes no table, and what else means something in SQL. */
const NAMES = [
  "it's",
  'say "hi"',
  'back`tick',
  'a, b',
  'semi;colon',
  'per%cent',
  String.raw`back\slash`,
  'què?',
  '$1',
  '-- x',
  '/* x',
];

function tableNamed(name: string) {
  return class extends SessionsTable({
    table: name,
    extraFields: { userId: { type: 'string' }, serial: { type: 'string', unique: true, nullable: true } },
    columns: { userId: name, serial: `2nd.${name}`, authTokenDigest: `digest ${name}`, expiresAt: `end ${name}` },
    sessionLimits: { userId: { max: 2 } },
  }) {};
}

/** Makes the table as somebody else has. */
async function create(name: string, { options }: TestDatabase): Promise<void> {
  const dataSource = await new DataSource(options).initialize();
  const { driver } = dataSource;
  const time = driver.options.type === 'postgres' ? 'timestamp(3)' : 'datetime(3)';
  const columns = Object.entries({
    id: 'char(36) primary key',
    [`digest ${name}`]: 'varchar(255) unique',
    [name]: 'varchar(255)',
    [`2nd.${name}`]: 'varchar(255) unique',
    data: 'text',
    [`end ${name}`]: time,
    createdAt: time,
    updatedAt: time,
  }).map(([column, type]) => `${driver.escape(column)} ${type}`);
  await dataSource.query(`CREATE TABLE ${driver.escape(name)} (${columns.join(', ')})`);
  await dataSource.destroy();
}

describeDatabases('a table and columns with a name', (database) => {
  describe.each(NAMES)('such as %s', (name) => {
    class Named extends tableNamed(name) {}
    const app = useApplication(database, {
      tables: [Named],
      synchronize: false,
      prepare: (created) => create(name, created),
    });
    let sessions: Named;
    beforeAll(() => {
      sessions = app.get(Named);
    });

    it('work in every call', async () => {
      const session = await sessions.create({ userId: 'u1', serial: 's1', data: { a: 1 } });
      expect(await sessions.authenticate(session.authToken)).toEqual(session);
      expect(await sessions.list({ userId: 'u1' }, { order: { userId: 'ASC', serial: 'DESC' } })).toEqual([session]);
      expect(await sessions.query({ userId: 'u1' }).toQueryBuilder().getCount()).toBe(1);
      expect(await sessions.patchData(session, { b: 2 })).toMatchObject({ data: { a: 1, b: 2 } });
      expect(await sessions.update(session, { userId: 'u2' })).toMatchObject({ userId: 'u2' });
      expect(await sessions.expire(session)).toBe(true);
      app.clock.advance(30 * DAY);
      expect(await sessions.deleteExpired()).toBe(1);
    });

    it('are named where a value is taken', async () => {
      await sessions.create({ userId: 'u1', serial: 's1' });
      const taken = await errorOf(sessions.create({ userId: 'u2', serial: 's1' }));
      expect(taken).toBeInstanceOf(UniqueConstraintError);

      expect(taken['columns']).toEqual(['serial']);
    });
  });
});
