import type { DataSource } from 'typeorm';
import type { DatabaseName } from './databases.js';
import { QueryLog } from './query-log.js';

export interface Sent {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/** Keeps the statements that find rows and were sent, with what they bind. */
export class StatementLog extends QueryLog {
  readonly sent: Sent[] = [];

  override logQuery(text: string, parameters: readonly unknown[] = []): void {
    if (/\b(DELETE|SELECT)\b/.test(text)) this.sent.push({ text, parameters });
  }
}

const EXPLAIN: Readonly<Record<DatabaseName, string>> = {
  sqlite: 'EXPLAIN QUERY PLAN',
  postgres: 'EXPLAIN',
  mariadb: 'EXPLAIN',
  mysql: 'EXPLAIN FORMAT = TRADITIONAL',
};

/** The lines of a database's plan for a statement, without the indexes that it could have used. */
export async function planOf(name: DatabaseName, dataSource: DataSource, { text, parameters }: Sent): Promise<string> {
  const rows = await dataSource.query<object[]>(`${EXPLAIN[name]} ${text}`, [...parameters]);
  const chosen = (row: object): unknown[] =>
    Object.entries(row).flatMap(([column, value]) => (column === 'possible_keys' ? [] : [value]));
  return rows.map((row) => chosen(row).join(' ')).join('\n');
}
