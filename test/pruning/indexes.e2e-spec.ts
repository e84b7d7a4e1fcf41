import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generateToken, SessionsTable, TypeOrmAdapter } from '@app/sessions';
import { pruneExpired } from '../../libs/sessions/src/lifecycle/prune.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { tableUnder } from '../docs/markdown.js';
import { useApplication } from '../support/application.js';
import { HOUR, MINUTE } from '../support/clock.js';
import { type DatabaseName, describeDatabases, isMysql } from '../support/databases.js';
import { digestOf } from '../support/digest.js';
import { planOf, StatementLog } from '../support/statement-log.js';

const ROWS = 3000;

class Plain extends SessionsTable({ table: 'plain' }) {}
class Every extends SessionsTable({
  table: 'every',
  rotation: true,
  revocation: true,
  lastUse: { ip: true, userAgent: true },
  ownLimits: true,
  freshness: true,
  scopes: ['posts:read'],
}) {}

/** The columns of each index that docs/scaling.md names, as the table has it or not. */
function documented(isEvery: boolean): string[] {
  const rows = tableUnder(readFileSync('docs/scaling.md', 'utf8'), '<!-- indexes -->');
  return rows
    .filter(([, there = '']) => there === 'always' || there.startsWith('with ') === isEvery)
    .map(([columns = '']) => nameOf(Array.from(columns.matchAll(/`(\w+)`/g), ([, column]) => column!)));
}

/** TypeORM does not tell their order on PostgreSQL. */
const nameOf = (columns: readonly string[]): string => columns.toSorted().join(', ');

interface FoundIndex {
  readonly columns: string;
  /** What a plan says that reads it. */
  readonly isRead: RegExp;
}

describeDatabases('the indexes of a new table', (name) => {
  const app = useApplication(name, { tables: [Plain, Every], options: { defaultTable: 'plain' } });

  async function indexesOf(table: typeof Plain | typeof Every): Promise<FoundIndex[]> {
    const runner = app.dataSource.createQueryRunner();
    const { primaryColumns, uniques, indices } = (await runner.getTable(table.definition.table!))!;
    await runner.release();
    const found = [
      { name: name === 'postgres' ? 'PK_\\w+' : 'PRIMARY', columnNames: primaryColumns.map((column) => column.name) },
    ];
    // MariaDB and MySQL have their constraints as indexes too.
    for (const other of [...uniques, ...indices]) {
      if (found.every(({ columnNames }) => String(columnNames) !== String(other.columnNames)))
        found.push({ name: other.name!, columnNames: other.columnNames });
    }
    return found.map(({ name: index, columnNames }) => ({
      columns: nameOf(columnNames),
      isRead: READS[name](index, columnNames),
    }));
  }

  /** What the library looks for in a table, with the plans of the database. */
  async function plansOf(table: typeof Plain | typeof Every): Promise<string> {
    const sessions = app.get<Every>(table as never);
    const store = app.get(SessionsRegistry).store(table);
    const adapter = new TypeOrmAdapter(app.dataSource);
    const now = app.clock.now;
    const last = `the last of ${table.name}`;
    const at = (ms: number): Date => new Date(now.getTime() + ms);
    const rows = Array.from({ length: ROWS }, (_, i) => ({
      id: adapter.autogenerate('binaryId'),
      authTokenDigest: digestOf(i === ROWS - 1 ? last : `${table.name} ${i}`),
      data: {},
      createdAt: now,
      updatedAt: now,
      expiresAt: at((i - 50) * MINUTE),
      ...(table === Every && { revokedAt: i < 25 ? at(-HOUR) : null, previousTokenDigest: digestOf(`before ${i}`) }),
    }));
    await adapter.insertAll(table.entity, rows);
    const session = await sessions.create({});
    const quoted = app.quoted(store.name);
    await app.dataSource.query(isMysql(name) ? `ANALYZE TABLE ${quoted}` : `ANALYZE ${quoted}`);
    const log = new StatementLog();
    app.dataSource.setOptions({ logging: true, logger: log });
    await sessions.get({ id: session.id });
    await sessions.authenticate(session.authToken);
    await sessions.authenticate(generateToken({ length: 64 }));
    await pruneExpired(store, store.adapter);
    app.dataSource.setOptions({ logging: false });
    const statements = log.sent.splice(0);
    const plans = [];
    for (const { text, parameters: logged } of statements) {
      // Of a row that is there: MariaDB's plan for another one names no index.
      const parameters = logged.map((value) => (value === '[digest]' ? Buffer.from(digestOf(last), 'hex') : value));
      plans.push(await planOf(name, app.dataSource, { text, parameters }));
    }
    return plans.join('\n');
  }

  it.each([Plain, Every])('are those of docs/scaling.md, and each of $name is read by the library', async (table) => {
    const indexes = await indexesOf(table);
    expect(indexes.map(({ columns }) => columns).toSorted()).toEqual(documented(table === Every).toSorted());
    const plans = await plansOf(table);
    expect(indexes.filter(({ isRead }) => !isRead.test(plans))).toEqual([]);
  });
});

const named = (index: string): RegExp => new RegExp(`\\b${index}\\b`);

/** SQLite tells the columns that it compares, by an index that it may have named itself. */
const READS: Readonly<Record<DatabaseName, (index: string, columns: readonly string[]) => RegExp>> = {
  postgres: (index) => new RegExp(`(using|on) "?${index}\\b`),
  mariadb: named,
  mysql: named,
  sqlite: (_, columns) => new RegExp(`USING (COVERING )?INDEX \\S+ \\((${columns.join('|')})[=<>]`),
};
