/** How many bytes a session takes on each database with its indexes: in a table as the library makes it, and with digests as text. */
import { parseArgs } from 'node:util';
import { DataSource } from 'typeorm';
import { SessionsTable } from '../libs/sessions/src/index.js';
import { CleanUps } from './clean-ups.js';
import { fillSessions } from './contenders/nest-sessions.js';
import { connection, createDatabase, type DatabaseName } from './databases.js';
import { Dataset, type RowSql } from './dataset.js';
import { Progress } from './progress.js';
import { textTable } from './table.js';

const USER = { userId: { type: 'string', index: true } } as const;

class Bytes extends SessionsTable({ table: 'bytes', extraFields: USER }) {}
class Text extends SessionsTable({
  table: 'texts',
  extraFields: USER,
  columns: { authTokenDigest: { form: 'hex' } },
}) {}

/** Of a session with digests as bytes against one with text: at most so much. */
const AT_MOST: Readonly<Record<DatabaseName, number>> = { postgres: 0.78, mariadb: 0.75, sqlite: 0.72 };

interface Part {
  readonly name: string;
  readonly bytes: number | string;
}

/** A query for the bytes of a table and of each of its indexes. */
const PARTS: Readonly<Record<DatabaseName, (table: string) => string>> = {
  postgres: (table) =>
    `SELECT 'table' AS name, pg_table_size('"${table}"') AS bytes
     UNION ALL SELECT pg_get_indexdef(indexrelid), pg_relation_size(indexrelid) FROM pg_index WHERE indrelid = '"${table}"'::regclass`,
  mariadb: (table) =>
    `SELECT index_name AS name, stat_value * @@innodb_page_size AS bytes FROM mysql.innodb_index_stats
     WHERE database_name = DATABASE() AND table_name = '${table}' AND stat_name = 'size'`,
  sqlite: (table) =>
    `SELECT d.name, SUM(pgsize) AS bytes FROM dbstat d JOIN sqlite_master m ON m.name = d.name WHERE m.tbl_name = '${table}' GROUP BY d.name`,
};

async function partsOf({ database }: Dataset, table: string): Promise<Map<string, number>> {
  const dataSource = await new DataSource(connection(database)).initialize();
  try {
    const parts: Part[] = await dataSource.query(PARTS[database.name](table));
    return new Map(parts.map(({ name, bytes }) => [name.replace(/^.* USING btree /, ''), Number(bytes)]));
  } finally {
    await dataSource.destroy();
  }
}

/** Sessions begin one after the other, and end so. */
const columns = (sql: RowSql): Record<string, string> => {
  const begin = sql.after(new Date(), 'n');
  return { expiresAt: sql.after(new Date(Date.now() + 86_400_000), 'n'), createdAt: begin, updatedAt: begin };
};

const { values } = parseArgs({ options: { rows: { type: 'string', default: '100000' } } });
const rows = Number(values.rows);
const cleanUps = new CleanUps();
const progress = new Progress();
try {
  const lines: string[][] = [];
  for (const name of ['postgres', 'mariadb', 'sqlite'] satisfies DatabaseName[]) {
    const database = await createDatabase(name, cleanUps, console.error);
    if (!database) continue;
    const dataset = new Dataset(database, rows, (text) => progress.show(text));
    const totals: number[] = [];
    for (const [table, digest] of [
      [Text, (sql: RowSql) => ({ authTokenDigest: sql.sha256(sql.token) })],
      [Bytes, () => ({})],
    ] as const) {
      const tableName = table.definition.table ?? '';
      await fillSessions(dataset, table, rows, (sql) => ({ ...columns(sql), ...digest(sql) }), true);
      const parts = await partsOf(dataset, tableName);
      const total = [...parts.values()].reduce((sum, bytes) => sum + bytes, 0);
      totals.push(total);
      for (const [part, bytes] of [...parts, ['all', total] as const])
        lines.push([name, tableName, part, (bytes / rows).toFixed(1)]);
    }
    const ratio = totals[1]! / totals[0]!;
    lines.push([name, 'ratio', `at most ${AT_MOST[name]}`, ratio.toFixed(3)]);
  }
  console.log(textTable({ head: ['database', 'digests', 'part', 'bytes a session'], rows: lines }));
} finally {
  for (const error of await cleanUps.run()) console.error(error);
}
