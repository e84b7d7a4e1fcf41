import { expect, it } from 'vitest';
import type { DatabaseName } from '../support/databases.js';
import { refusalOf, type TableKind } from '../tables/kind.js';
import { TABLES } from '../tables/kinds-of-tables.js';
import { MADE_BY_DATABASE, TRIGGERS } from '../tables/kinds-with-triggers.js';
import { read } from './documents.js';
import { tableUnder } from './markdown.js';

const DATABASES: readonly DatabaseName[] = ['postgres', 'mariadb', 'mysql', 'sqlite'];

function worksOn(kind: TableKind, database: DatabaseName): string {
  if (!kind.statements[database]) return '';
  return refusalOf(kind, database) === undefined ? 'yes' : 'no';
}

it('what works on which kind of table is what the tests of tables say', () => {
  const kinds = [...TABLES, ...TRIGGERS, ...MADE_BY_DATABASE];
  const rows = kinds.map((kind) => [
    kind.name.replace(/^tables /, ''),
    ...DATABASES.map((database) => worksOn(kind, database)),
  ]);
  expect(tableUnder(read('docs/existing-tables.md'), 'Kinds of tables')).toEqual(rows);
});
