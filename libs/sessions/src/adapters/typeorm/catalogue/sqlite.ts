import type { ColumnFacts, IndexFacts, TableKind } from '../../port/table-facts.js';
import { byTable, type Catalogue, type FoundTable, known } from './catalogue.js';
import { timesInRows } from './sqlite-times.js';

const KINDS: Readonly<Record<string, TableKind>> = { table: 'table', view: 'view', virtual: 'virtual' };

/** The tables in a JSON parameter, with the number of each. */
const GIVEN = `FROM (SELECT key AS at, json_extract(value, '$.table') AS given, json_extract(value, '$.base') AS base FROM json_each(?)) `;

const TABLES = `SELECT at, l.name, l.type, l.wr AS withoutRowid,
  (SELECT json_group_array(m.name) FROM sqlite_master m WHERE m.type = 'trigger' AND m.tbl_name = l.name AND base = 'main') AS triggers
  ${GIVEN}, pragma_table_list(given) l WHERE l.schema = base`;

const COLUMNS = `SELECT at, c.name, c.type, c."notnull" AS isRequired, c.dflt_value AS fallback, c.pk, c.hidden ${GIVEN}, pragma_table_xinfo(given, base) c`;

const INDEXES = `SELECT at, i.name, i."unique" AS isUnique, i.origin, c.seqno AS place, c.name AS "column", c.coll AS collation,
  CASE WHEN i.partial THEN COALESCE((SELECT m.sql FROM sqlite_master m WHERE m.type = 'index' AND m.name = i.name), '') END AS partial
  ${GIVEN}, pragma_index_list(given, base) i, pragma_index_xinfo(i.name, base) c WHERE c.key`;

interface Row {
  readonly at: unknown;
  readonly name: string;
}

interface TableRow extends Row {
  readonly type: string;
  readonly withoutRowid: number;
  readonly triggers: string;
}

interface ColumnRow extends Row {
  readonly type: string;
  readonly isRequired: number;
  readonly fallback: string | null;
  /** The position in the primary key, from 1; 0: not in it. */
  readonly pk: number;
  /** 2 and 3: generated. */
  readonly hidden: number;
}

interface IndexRow extends Row {
  readonly isUnique: number;
  readonly origin: string;
  readonly place: number;
  readonly column: string | null;
  /** The statement that created it, if it is partial. */
  readonly partial: string | null;
}

export const sqliteCatalogue: Catalogue = {
  async server(ask) {
    const rows = await ask<{ version: string }>('SELECT sqlite_version() AS version', []);
    return { product: 'sqlite', ...rows?.[0] };
  },

  async tables(ask, tables) {
    // For TypeORM, a database is a file; an attached one goes by the prefix of its tables.
    const names = [
      JSON.stringify(tables.map(({ table, path }) => ({ table, base: /^"([^"]+)"\./.exec(path)?.[1] ?? 'main' }))),
    ];
    const found = byTable(await ask<TableRow>(TABLES, names));
    const columns = byTable(await ask<ColumnRow>(COLUMNS, names));
    const indexRows = await ask<IndexRow>(INDEXES, names);
    const indexes = byTable(indexRows);
    return tables.map((_table, at) => {
      const [table] = found(at);
      const rows = columns(at);
      if (!table || rows.length === 0) return undefined;
      const withoutRowid = Boolean(table.withoutRowid);
      const primary = rows.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk);
      const isRowid = primary.length === 1 && !withoutRowid && primary[0]!.type.toLowerCase() === 'integer';
      const key = primary.map(({ name }) => name);
      return {
        name: table.name,
        kind: KINDS[table.type] ?? 'other',
        columns: new Map(rows.map((row) => [row.name, columnFrom(row, isRowid)])),
        primary: key,
        ...(indexRows && {
          indexes: [
            ...(isRowid ? [{ name: 'rowid', columns: key, unique: true, primary: true, valid: true }] : []),
            ...indexesFrom(indexes(at)),
          ],
        }),
        // Triggers would make the changes, and SQLite does not count those.
        ...(table.type === 'view' && { changeable: false }),
        triggers: JSON.parse(table.triggers) as string[],
        withoutRowid,
      } satisfies FoundTable;
    });
  },

  times: timesInRows,

  canonical: (name) => name.toLowerCase(),
};

/** @param isRowid whether the table's key is the rowid */
function columnFrom({ name, type, isRequired, fallback, pk, hidden }: ColumnRow, isRowid: boolean): ColumnFacts {
  const [, base = '', sizes] = /^([^(]*)(?:\(([^)]*)\))?/.exec(type.toLowerCase()) ?? [];
  const [size, scale] = sizes?.split(',').map(Number) ?? [];
  const isText = /char|text|clob/.test(base);
  const isKey = isRowid && pk > 0;
  return {
    name,
    type: base.trim(),
    nullable: !isRequired && !isKey,
    hasDefault: fallback !== null,
    ...known({
      length: isText ? size : undefined,
      precision: isText ? undefined : size,
      scale,
      generated: hidden > 1 ? ('expression' as const) : isKey ? ('ifNotGiven' as const) : undefined,
    }),
  };
}

function indexesFrom(rows: readonly IndexRow[]): IndexFacts[] {
  return [...new Set(rows.map(({ name }) => name))].map((name) => {
    const parts = rows.filter((row) => row.name === name).toSorted((a, b) => a.place - b.place);
    const { isUnique, origin, partial } = parts[0]!;
    return {
      name,
      columns: parts.map(({ column }) => column),
      unique: Boolean(isUnique),
      primary: origin === 'pk',
      valid: true,
      ...(partial !== null && { predicate: /\bWHERE\b([^]*)$/i.exec(partial)?.[1]?.trim() ?? '' }),
    };
  });
}
