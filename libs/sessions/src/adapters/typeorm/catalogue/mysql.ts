import type { ColumnFacts, IndexFacts, TableKind } from '../../port/table-facts.js';
import { type Ask, byTable, type Catalogue, clockAhead, type FoundTable, known, type NamedTable } from './catalogue.js';

const KINDS: Readonly<Record<string, TableKind>> = {
  'BASE TABLE': 'table',
  VIEW: 'view',
  'SYSTEM VERSIONED': 'system-versioned',
};

/** The most characters of a name; longer ones are refused. */
const NAME_CHARACTERS = 64;

/** Errors of statements that cannot change a view: it, or one of its columns, or a join in it is not updatable. */
const UNCHANGEABLE = new Set([1288, 1348, 1393, 1394, 1395, 1471]);

const VARIABLES = [
  'version',
  'transaction_isolation',
  'tx_isolation',
  'read_only',
  'time_zone',
  'system_time_zone',
  'timestamp',
  'sql_mode',
  'innodb_snapshot_isolation',
  'wsrep_on',
  'max_prepared_stmt_count',
];

interface Row {
  readonly at: unknown;
  readonly name: string;
}

interface TableRow extends Row {
  readonly type: string;
  readonly engine: string | null;
  readonly options: string | null;
}

interface ColumnRow extends Row {
  readonly type: string;
  readonly fullType: string;
  readonly nullable: string;
  readonly length: unknown;
  readonly fraction: unknown;
  readonly digits: unknown;
  readonly scale: unknown;
  readonly characterSet: string | null;
  readonly collation: string | null;
  readonly fallback: string | null;
  readonly extra: string;
}

interface IndexRow extends Row {
  readonly nonUnique: unknown;
  readonly place: unknown;
  readonly column: string | null;
  readonly part: unknown;
}

export const mysqlCatalogue: Catalogue = {
  async server(ask) {
    const before = Date.now();
    const rows = await ask<{ Variable_name: string; Value: string }>(
      `SHOW VARIABLES WHERE Variable_name IN (${VARIABLES.map(() => '?').join(', ')})`,
      VARIABLES,
    );
    const after = Date.now();
    const longestName = { characters: NAME_CHARACTERS };
    if (!rows) return { product: 'mysql', longestName };
    const variables = new Map(rows.map(({ Variable_name: name, Value: value }) => [name.toLowerCase(), value]));
    const isOn = (name: string): boolean | undefined =>
      variables.has(name) ? ['ON', '1'].includes(variables.get(name)!) : undefined;
    const zone = variables.get('time_zone');
    return {
      product: variables.get('version')?.includes('MariaDB') ? 'mariadb' : 'mysql',
      longestName,
      ...known({
        version: variables.get('version'),
        isolation: (variables.get('transaction_isolation') ?? variables.get('tx_isolation'))
          ?.toLowerCase()
          .replace('-', ' '),
        readOnly: isOn('read_only'),
        timeZone: zone === 'SYSTEM' ? variables.get('system_time_zone') : zone,
        clockAheadMs: clockAhead(Number(variables.get('timestamp')) * 1000, before, after),
        sqlMode: variables.get('sql_mode')?.split(',').filter(Boolean),
        snapshotIsolation: isOn('innodb_snapshot_isolation'),
        wsrep: isOn('wsrep_on'),
        mostPrepared: numberOf(variables.get('max_prepared_stmt_count')),
      }),
    };
  },

  async tables(ask, tables) {
    const found = byTable(
      await each<TableRow>(
        ask,
        tables,
        'TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, CREATE_OPTIONS AS options',
        'TABLES',
      ),
    );
    const columns = byTable(
      await each<ColumnRow>(
        ask,
        tables,
        `COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS fullType, IS_NULLABLE AS nullable, CHARACTER_MAXIMUM_LENGTH AS length,
        DATETIME_PRECISION AS fraction, NUMERIC_PRECISION AS digits, NUMERIC_SCALE AS scale, CHARACTER_SET_NAME AS characterSet,
        COLLATION_NAME AS collation, COLUMN_DEFAULT AS fallback, EXTRA AS extra`,
        'COLUMNS',
      ),
    );
    const indexRows = await each<IndexRow>(
      ask,
      tables,
      'INDEX_NAME AS name, NON_UNIQUE AS nonUnique, SEQ_IN_INDEX AS place, COLUMN_NAME AS `column`, SUB_PART AS part',
      'STATISTICS',
    );
    const indexes = byTable(indexRows);
    const triggerRows = await each<Row>(ask, tables, 'TRIGGER_NAME AS name', 'TRIGGERS', 'EVENT_OBJECT_');
    const triggers = byTable(triggerRows);
    return tables.map((_table, at) => {
      const [table] = found(at);
      if (!table || columns(at).length === 0) return undefined;
      const isPartitioned = table.type === 'BASE TABLE' && (table.options ?? '').includes('partitioned');
      const ofTable = indexesFrom(indexes(at));
      return {
        name: table.name,
        kind: isPartitioned ? 'partitioned' : (KINDS[table.type] ?? 'other'),
        columns: new Map(columns(at).map((row) => [row.name, columnFrom(row)])),
        primary: (ofTable.find(({ primary }) => primary)?.columns ?? []) as string[],
        ...(indexRows && { indexes: ofTable }),
        ...(triggerRows && { triggers: triggers(at).map(({ name }) => name) }),
        ...known({ engine: table.engine?.toLowerCase() }),
      } satisfies FoundTable;
    });
  },

  // A view that the information schema calls updatable may still be a join without deletes, or have read-only columns.
  async changeable(ask, { path, columns }) {
    const statements = [
      `INSERT INTO ${path} (${columns.join(', ')}) VALUES (${columns.map(() => 'NULL').join(', ')})`,
      `UPDATE ${path} SET ${columns.map((column) => `${column} = NULL`).join(', ')}`,
      `DELETE FROM ${path}`,
    ];
    for (const statement of statements) {
      let errno: number | undefined;
      await ask(`EXPLAIN ${statement}`, [], (error) => ({ errno } = error as { readonly errno?: number }));
      if (errno !== undefined && UNCHANGEABLE.has(errno)) return false;
    }
    return true;
  },

  canonical: (name) => name.toLowerCase(),
};

/**
 * Rows of the information schema about these tables. MariaDB avoids opening other tables only if schema and name each
 * equal one value, so each table gets its own query.
 */
async function each<R extends Row>(
  ask: Ask,
  tables: readonly NamedTable[],
  select: string,
  view: string,
  prefix = 'TABLE_',
): Promise<readonly R[] | undefined> {
  const parts = tables.map(
    (_table, at) =>
      `SELECT ${at} AS at, ${select} FROM information_schema.${view} WHERE ${prefix}SCHEMA = COALESCE(?, DATABASE()) AND ${prefix}${prefix === 'TABLE_' ? 'NAME' : 'TABLE'} = ?`,
  );
  const names = tables.flatMap(({ database, table }) => [database ?? null, table]);
  return ask<R>(parts.join(' UNION ALL '), names);
}

function numberOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

function columnFrom(row: ColumnRow): ColumnFacts {
  const { name, type, fullType, nullable, fraction, digits, scale, characterSet, collation, fallback, extra } = row;
  const isDecimal = type === 'decimal';
  return {
    name,
    type: `${type.toLowerCase()}${/\bunsigned\b/.test(fullType) ? ' unsigned' : ''}`,
    nullable: nullable === 'YES',
    // MariaDB reports a null default like any other, as SQL.
    hasDefault: fallback !== null && fallback !== 'NULL',
    ...known({
      length: numberOf(row.length),
      precision: numberOf(isDecimal ? digits : fraction),
      scale: isDecimal ? numberOf(scale) : undefined,
      characterSet,
      collation,
      generated: /auto_increment/i.test(extra)
        ? ('ifNotGiven' as const)
        : /\bGENERATED\b|PERSISTENT|VIRTUAL/.test(extra) && !extra.includes('DEFAULT_GENERATED')
          ? ('expression' as const)
          : undefined,
    }),
  };
}

function indexesFrom(rows: readonly IndexRow[]): IndexFacts[] {
  return [...new Set(rows.map(({ name }) => name))].map((name) => {
    const parts = rows.filter((row) => row.name === name).toSorted((a, b) => Number(a.place) - Number(b.place));
    return {
      name,
      columns: parts.map(({ column }) => column),
      unique: Number(parts[0]!.nonUnique) === 0,
      primary: name === 'PRIMARY',
      valid: true,
      ofPrefixes: parts.some(({ part }) => part !== null),
    };
  });
}
