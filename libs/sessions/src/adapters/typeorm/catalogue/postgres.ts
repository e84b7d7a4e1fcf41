import type { IndexFacts, TableFacts, TableKind } from '../../port/table-facts.js';
import { byTable, type Catalogue, clockAhead, known, type NamedTable } from './catalogue.js';

const KINDS: Readonly<Record<string, TableKind>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
};

/** The bytes of a name that PostgreSQL keeps by default. */
const NAME_BYTES = 63;

const SERVER = `SELECT current_setting('server_version') AS version,
  current_setting('default_transaction_isolation') AS isolation,
  current_setting('transaction_read_only')::boolean OR pg_is_in_recovery() AS "readOnly",
  current_setting('TimeZone') AS "timeZone",
  current_setting('max_identifier_length')::int AS "nameBytes",
  date_part('epoch', clock_timestamp()) * 1000 AS now`;

/** The tables of a parameter that exist, with the number of each. */
const GIVEN = `FROM unnest($1::text[]) WITH ORDINALITY given(path, at)`;

const TABLES = `SELECT at, relname::text AS name, relkind::text AS kind, row_security_active(c.oid) AS "rowSecurity",
  relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) AS inherited,
  CASE relkind WHEN 'v' THEN pg_relation_is_updatable(c.oid, false) & 28 = 28 AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgtype & 64 <> 0) END AS changeable,
  EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN') AS rules,
  CASE WHEN row_security_active(c.oid) THEN ARRAY(SELECT statement FROM (VALUES ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE')) s(command, statement)
    WHERE NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polpermissive AND polcmd IN ('*', command)
      AND EXISTS (SELECT FROM unnest(polroles) role WHERE role = 0 OR pg_has_role(role, 'USAGE'))))
  END AS "refusedByPolicies",
  ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal) AS triggers
  ${GIVEN} JOIN pg_class c ON c.oid = to_regclass(path)`;

// A domain counts as its base type. A type of an extension has its own name, whatever its schema.
const COLUMNS = `SELECT at, attnum AS number, attname::text AS name,
  CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(t.oid, NULL) ELSE t.typname::text END AS type,
  NOT (attnotnull OR declared.typnotnull) AS nullable,
  COALESCE(NULLIF(atttypmod, -1), NULLIF(declared.typtypmod, -1)) AS modifier,
  CASE WHEN attcollation <> 0 OR t.oid IN ('json'::regtype, 'jsonb'::regtype) THEN getdatabaseencoding() END AS "characterSet",
  (SELECT collname::text FROM pg_collation WHERE pg_collation.oid = attcollation) AS collation,
  atthasdef OR declared.typdefault IS NOT NULL AS "hasDefault", attidentity::text AS identity, attgenerated <> '' OR (SELECT relkind = 'v' FROM pg_class WHERE oid = attrelid) AND NOT pg_column_is_updatable(attrelid, attnum, false) AS stored,
  pg_get_expr(adbin, adrelid) AS expression
  ${GIVEN} JOIN pg_attribute ON attrelid = to_regclass(path) AND attnum > 0 AND NOT attisdropped
  JOIN pg_type declared ON declared.oid = atttypid
  JOIN pg_type t ON t.oid = COALESCE(NULLIF(declared.typbasetype, 0), declared.oid)
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum`;

const INDEXES = `SELECT at, relname::text AS name, indisunique AS unique, indisprimary AS primary, indisvalid AND indisready AS valid,
  pg_get_expr(indpred, indrelid) AS predicate, indkey::text AS numbers, indnkeyatts AS length
  ${GIVEN} JOIN pg_index ON indrelid = to_regclass(path) JOIN pg_class ON pg_class.oid = indexrelid`;

interface Row {
  readonly at: unknown;
  readonly name: string;
}

type OfTable = Pick<
  TableFacts,
  'rowSecurity' | 'refusedByPolicies' | 'inherited' | 'changeable' | 'rules' | 'triggers'
>;

interface TableRow extends Row, OfTable {
  readonly at: unknown;
  readonly kind: string;
}

interface ColumnRow extends Row {
  readonly number: number;
  readonly type: string;
  readonly nullable: boolean;
  readonly modifier: number | null;
  readonly characterSet: string | null;
  readonly collation: string | null;
  readonly hasDefault: boolean;
  readonly identity: string;
  readonly stored: boolean;
  readonly expression: string | null;
}

interface IndexRow extends Row, Pick<IndexFacts, 'unique' | 'primary' | 'valid'> {
  /** The numbers of its columns, separated by spaces, 0 for an expression. Included columns come last. */
  readonly numbers: string;
  readonly length: number;
  readonly predicate: string | null;
}

export const postgresCatalogue: Catalogue = {
  async server(ask) {
    const before = Date.now();
    const rows = await ask<{
      version: string;
      isolation: string;
      readOnly: boolean;
      timeZone: string;
      nameBytes: number;
      now: unknown;
    }>(SERVER, []);
    const after = Date.now();
    if (!rows?.[0]) return { product: 'postgres', longestName: { bytes: NAME_BYTES } };
    const { now, nameBytes, ...settings } = rows[0];
    return {
      product: 'postgres',
      ...settings,
      longestName: { bytes: nameBytes },
      ...known({ clockAheadMs: clockAhead(now, before, after) }),
    };
  },

  async tables(ask, tables) {
    const paths = [tables.map(({ path }) => path)];
    const found = byTable(await ask<TableRow>(TABLES, paths));
    const columns = byTable(await ask<ColumnRow>(COLUMNS, paths));
    const indexRows = await ask<IndexRow>(INDEXES, paths);
    const indexes = byTable(indexRows);
    return tables.map((_table: NamedTable, i) => {
      const [table] = found(i + 1);
      if (!table || columns(i + 1).length === 0) return undefined;
      const { at: _at, kind, ...others } = table;
      const indexesOfTable = indexes(i + 1).map((row) => indexFrom(row, columns(i + 1)));
      return {
        ...known(others),
        kind: KINDS[kind] ?? 'other',
        columns: new Map(columns(i + 1).map((row) => [row.name, columnFrom(row)])),
        primary: (indexesOfTable.find(({ primary }) => primary)?.columns ?? []) as string[],
        ...(indexRows && { indexes: indexesOfTable }),
      };
    });
  },

  createIndex: 'INDEX CONCURRENTLY',

  canonical: (name) => {
    // Omits a character that would be cut in two.
    const bytes = Buffer.from(name).subarray(0, NAME_BYTES);
    return new TextDecoder().decode(bytes, { stream: true });
  },
};

function columnFrom(row: ColumnRow): ReturnType<TableFacts['columns']['get']> & object {
  const { name, type, nullable, modifier, characterSet, collation, hasDefault, identity, stored, expression } = row;
  const isSerial = identity === 'd' || (expression?.startsWith('nextval(') ?? false);
  return {
    name,
    type,
    nullable,
    hasDefault,
    ...modified(type, modifier),
    ...known({
      characterSet,
      collation,
      generated: stored
        ? ('expression' as const)
        : identity === 'a'
          ? ('always' as const)
          : isSerial
            ? ('ifNotGiven' as const)
            : undefined,
    }),
  };
}

/** The facts in a type's modifier. @see https://www.postgresql.org/docs/current/catalog-pg-attribute.html */
function modified(type: string, modifier: number | null): { length?: number; precision?: number; scale?: number } {
  if (type.startsWith('timestamp')) return { precision: modifier ?? 6 };
  if (modifier === null) return {};
  if (type === 'character varying' || type === 'character') return { length: modifier - 4 };
  if (type === 'numeric') return { precision: (modifier - 4) >> 16, scale: (modifier - 4) & 0x7ff };
  return {};
}

function indexFrom(row: IndexRow, columnRows: readonly ColumnRow[]): IndexFacts {
  const { name, unique, primary, valid, predicate, numbers, length } = row;
  const names = new Map(columnRows.map((column) => [String(column.number), column.name]));
  const columns = numbers
    .split(' ')
    .slice(0, length)
    .map((number) => names.get(number) ?? null);
  return { name, columns, unique, primary, valid, ...known({ predicate }) };
}
