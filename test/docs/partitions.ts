import { read } from './documents.js';
import { fencesOf } from './markdown.js';

/** The SQL by which the guide makes partitions of the table `sessions`. */
export function partitionsOn(database: 'PostgreSQL' | 'MariaDB'): string {
  return fencesOf(read('docs/scaling.md')).find(({ label }) => label === `partitions on ${database}`)!.code;
}

/** The statements of a text in which each ends with a semicolon, but perhaps for the last one. */
export function statementsOf(sql: string): string[] {
  return sql.split(/;\s*(?!$)/);
}
