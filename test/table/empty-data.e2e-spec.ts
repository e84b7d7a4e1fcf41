import { beforeAll, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { JsonPath, SessionsTable } from '@app/sessions';
import { createTable, otherTables } from '../tables/layout.js';
import { type StorageName, useApplication } from '../support/application.js';
import type { TestDatabase } from '../support/databases.js';
import { isThere } from '../support/databases.js';

class Visits extends SessionsTable({ table: 'visits', scopes: ['read'] as const }) {}
class OnDemand extends SessionsTable({ table: 'visits', data: 'onDemand', scopes: ['read'] as const }) {}

/** What other programs leave where there is nothing, by database, and the type of its column. */
const EMPTY = [
  ['sqlite', 'text', 'NULL'],
  ['sqlite', 'text', "''"],
  ['mariadb', 'longtext', 'NULL'],
  ['mariadb', 'longtext', "''"],
  ['mysql', 'longtext', 'NULL'],
  ['mysql', 'longtext', "''"],
  ['mysql', 'json', "'null'"],
  ['postgres', 'jsonb', 'NULL'],
  ['postgres', 'jsonb', "'null'"],
] as const;

const DEFAULTS = { userId: "varchar(36) NOT NULL DEFAULT ''" };

async function create(type: string, { name, options }: TestDatabase): Promise<void> {
  const dataSource = await new DataSource(options).initialize();
  const table = createTable(name, { columns: { ...DEFAULTS, data: type, scopes: type } });
  for (const statement of [...otherTables(name), table]) await dataSource.query(statement);
  await dataSource.destroy();
}

describe.each(EMPTY.filter(([name]) => isThere(name)))(
  'data and scopes on %s, of type %s, that are %s',
  (name: StorageName, type, value) => {
    const setUp = { synchronize: false, prepare: (database: TestDatabase) => create(type, database) };

    describe('with the session', () => {
      const app = useApplication(name, { ...setUp, tables: [Visits] });
      let visits: Visits;
      beforeAll(() => {
        visits = app.get(Visits);
      });

      it('are empty, can be changed, and are no error to filters', async () => {
        const created = await visits.create({ data: { a: 1 }, scopes: ['read'] });
        const other = await visits.create({ data: { b: 1 } });
        await app.dataSource.query(`UPDATE visits SET data = ${value}, scopes = ${value} WHERE id = '${created.id}'`);
        expect(await visits.authenticate(created.authToken)).toMatchObject({ data: {}, scopes: [] });
        expect(await visits.list({ data: JsonPath(['b'], 1) })).toMatchObject([{ id: other.id }]);
        expect(await visits.list({ data: JsonPath(['b'], null) })).toMatchObject([{ id: created.id }]);
        expect(await visits.patchData(created, { c: 2 })).toMatchObject({ data: { c: 2 } });
        expect(await visits.update(created, { scopes: ['read'] })).toMatchObject({ scopes: ['read'] });
      });
    });

    describe('on demand', () => {
      const app = useApplication(name, { ...setUp, tables: [OnDemand] });

      it('are empty', async () => {
        const visits = app.get(OnDemand);
        const created = await visits.create({ data: { a: 1 } });
        await app.dataSource.query(`UPDATE visits SET data = ${value}`);
        expect(await visits.dataOf(created)).toEqual({});
      });
    });
  },
);
