import type { DataSource } from 'typeorm';
import { compileWhere, type Condition, isNeverNull, isNullOnly } from '../query/conditions.js';
import { namedParts, type OrderTerm, type ReadAs } from '../query/query-options.js';
import {
  allOf,
  type Conditions,
  type Prepared,
  type QueryKind,
  type QueryOptions,
  type Schema,
} from '../port/query.js';
import { assignmentsSql } from './assignments.js';
import type { Dialect, KeyedUpdate } from './dialects/dialect.js';
import { jsonParser } from './dialects/json.js';
import { type ReadColumn, readColumns, type RowsOf, rowsReader } from './raw-row.js';
import { type SelectedRelations, selectedRelations } from './selected-relations.js';
import type { Slot } from './slots.js';
import { SqlWriter } from './sql-writer.js';
import type { SqlColumn, SqlTable } from './sql-table.js';

/** A statement with final text, whose values each run fills in. */
export interface Statement {
  readonly text: string;
  readonly slots: readonly Slot[];
  /** The positions of values that no log shows. */
  readonly secrets: readonly number[];
  /** Whether the driver writes some values into the text, so that it cannot be kept prepared. */
  readonly isWrittenOut?: boolean;
}

/** A compiled query of {@link TypeOrmAdapter}. */
export interface SqlPrepared extends Prepared, Pick<SelectedRelations, 'joins' | 'further'> {
  readonly table: SqlTable;
  readonly options: QueryOptions;
  readonly condition: Condition<SqlColumn>;
  /** Whether no row can match. */
  readonly isNever: boolean;
  readonly statement: Statement;
  /** The columns that a run returns, if any. */
  readonly columns: readonly SqlColumn[] | undefined;
  /** How to read those columns. */
  readonly reads: readonly ReadColumn[] | undefined;
  /** Makes rows of those columns that are not loaded yet. */
  readonly rowsOf: RowsOf | undefined;
  /** The names of the values of a result row, in order; those of the columns come first. */
  readonly names: readonly string[];
  readonly count: boolean;
  /** Whether the statement itself cannot return the changed rows. */
  readonly emulatesReturning: boolean;
  /** Whether to find the rows to delete first, then delete them by key, since the database has no `DELETE` with a limit. */
  readonly deletesByKey: boolean;
  /** Locks the rows to update first, if the update itself cannot skip locked rows. */
  readonly locking?: Statement | undefined;
  /** Whether the statement returns the number of deleted rows in a column besides the greatest value. */
  readonly countsDeleted: boolean;
}

/** More rows than any table has: two of the databases refuse an offset without a limit. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Keeps an order by "createdAt" from meaning the selected expression of that name. */
const ALIAS = 't';

/** The name of the column with the number of rows. */
const COUNT = 'count';

/** The statement of a query that has none of its own. */
export const NO_STATEMENT: Statement = { text: '', slots: [], secrets: [] };

/** The database to compile a query for. */
interface Database {
  readonly dataSource: DataSource;
  readonly dialect: Dialect;
}

export function compileQuery(
  { dataSource, dialect }: Database,
  table: SqlTable,
  kind: QueryKind,
  schema: Schema,
  options: QueryOptions,
): SqlPrepared {
  const condition = compileWhere(table, options.where);
  const { columns, order } = namedParts(table, kind, options, readAs);
  const reads = columns && readColumns(columns);
  const parts = {
    kind,
    schema,
    table,
    options,
    condition,
    isNever: condition.kind === 'constant' && !condition.value,
    joins: [],
    further: [],
    reads,
    rowsOf: reads && rowsReader(table, reads),
    names: columns?.map(({ property }) => property) ?? [COUNT],
    count: options.count ?? false,
    emulatesReturning: false,
    deletesByKey: false,
    countsDeleted: false,
  };
  const build = { dataSource, dialect, table, condition, options, order };
  if (kind === 'all') {
    if (!columns) return { ...parts, columns, statement: countStatement(build) };
    const { joins, further, selected } = selectedRelations(dataSource, table, ALIAS, columns, options.relations);
    const beside = selected.map((sql, i) => [sql, `nest_sessions_${i}`] as const);
    const names = [...parts.names, ...beside.map(([, name]) => name)];
    return { ...parts, columns, joins, further, names, statement: selectStatement(build, columns, joins, beside) };
  }
  if (options.skipLocked) return { ...parts, columns, ...unlockedUpdate(build) };
  const byKey = options.take !== undefined && !dialect.limitedDelete;
  const [greatest] = options.returningMax === undefined ? [] : columns!;
  if (byKey && (!columns || greatest)) return { ...parts, columns, deletesByKey: true, statement: NO_STATEMENT };
  const returns = !byKey && dialect.returning.has(kind === 'updateAll' ? 'update' : 'delete');
  const statement = kind === 'updateAll' ? updateStatement(build) : deleteStatement(build);
  if (greatest && dialect.countDeleted) {
    const text = dialect.countDeleted(
      `${statement.text} RETURNING ${greatest.sqlName}`,
      `${greatest.read(`MAX(${greatest.sqlName})`)} AS ${dataSource.driver.escape(greatest.property)}`,
    );
    const names = [...parts.names, COUNT];
    return { ...parts, columns, names, countsDeleted: true, statement: { ...statement, text } };
  }
  const text = statement.text + (columns && returns ? returningSql(dataSource, columns) : '');
  return { ...parts, columns, emulatesReturning: columns !== undefined && !returns, statement: { ...statement, text } };
}

const readAs: ReadAs<SqlColumn> = (column, property, path) => {
  if (!path) return { ...column, property };
  return { ...column, property, path, load: jsonParser(), loadNull: undefined };
};

/** The clause that returns columns of the written rows. */
export function returningSql(dataSource: DataSource, columns: readonly SqlColumn[]): string {
  return ` RETURNING ${readsSql(dataSource, columns).join(', ')}`;
}

/** The expressions that read columns, each with its name. */
export function readsSql({ driver }: DataSource, columns: readonly SqlColumn[]): string[] {
  return columns.map((column) => `${column.read(column.sqlName)} AS ${driver.escape(column.property)}`);
}

/** The conditions of a query, with further ones. */
export function narrowed({ options: { where = {} } }: SqlPrepared, further: Conditions): Conditions {
  return allOf(where, further);
}

/** The parts from which a statement is built. */
interface Build extends Database {
  readonly table: SqlTable;
  readonly condition: Condition<SqlColumn>;
  readonly options: QueryOptions;
  readonly order: readonly OrderTerm<SqlColumn>[];
}

function writerOf(build: Build, prefix?: string): SqlWriter {
  const { dialect, table, options } = build;
  const { collationEquality, keepPrepared } = options;
  const keptOn = keepPrepared ? table.sqlName : undefined;
  return new SqlWriter(dialect, { prefix, collationEquality, keptOn, byKey: findsByKey(build) });
}

function selectStatement(
  build: Build,
  columns: readonly SqlColumn[],
  joins: SelectedRelations['joins'],
  beside: readonly (readonly [sql: string, name: string])[],
): Statement {
  const { driver } = build.dataSource;
  const alias = driver.escape(ALIAS);
  const writer = writerOf(build, `${alias}.`);
  const own = columns.map((column) => `${writer.read(column)} AS ${driver.escape(column.property)}`);
  const list = [...own, ...beside.map(([sql, name]) => `${sql} AS ${driver.escape(name)}`)];
  const where = writer.write(build.condition);
  const tail = orderSql(build, writer) + limitSql(writer, build.options);
  const named = `${build.table.sqlName} ${alias}`;
  const one = (build.options.currentRows && keyAccess(build)?.from(named)) || named;
  const from = [one, ...joins.map((join) => join.clause)].join(' ');
  return finish(build, writer, `SELECT ${list.join(', ')} FROM ${from} WHERE ${where}${tail}`);
}

function countStatement(build: Build): Statement {
  const writer = writerOf(build);
  const where = writer.write(build.condition);
  return finish(build, writer, `SELECT COUNT(*) AS ${COUNT} FROM ${build.table.sqlName} WHERE ${where}`);
}

function updateStatement(build: Build, written = updateSql): Statement {
  const writer = writerOf(build);
  const set = assignmentsSql(build, writer);
  return finish(build, writer, written({ ...keyed(build), set, where: writer.write(build.condition) }));
}

export const updateSql = ({ table, set, from, where }: KeyedUpdate): string =>
  `UPDATE ${table} SET ${set}${from ? ` FROM ${from}` : ''} WHERE ${where}`;

/** An update that skips locked rows, or the statement that comes before it. */
function unlockedUpdate(build: Build): Pick<SqlPrepared, 'statement' | 'locking'> {
  const { update, select } = build.dialect.skipLocked ?? { update: updateSql };
  const writer = writerOf(build);
  const [key] = build.table.primary;
  const parts = { ...keyed(build), key: key!.read(key!.sqlName), where: writer.write(build.condition) };
  const locking = select && finish(build, writer, select(parts));
  return { statement: update ? updateStatement(build, update) : NO_STATEMENT, locking };
}

/** The table and its key. */
export function keyed(build: Build): Pick<KeyedUpdate, 'table' | 'isView' | 'key'> {
  const { sqlName, isView, primary } = build.table;
  return { table: keyAccess(build)?.from(sqlName) ?? sqlName, isView, key: primary[0]!.sqlName };
}

function deleteStatement(build: Build): Statement {
  const { dialect, table, condition, options } = build;
  const writer = writerOf(build);
  const where = writer.write(condition);
  if (options.take === undefined || !dialect.limitedDelete) {
    const byKey = options.returning?.length ? undefined : keyAccess(build);
    return finish(build, writer, `${byKey?.delete(table.sqlName) ?? `DELETE FROM ${table.sqlName}`} WHERE ${where}`);
  }
  const order = orderSql(build, writer);
  const limit = writer.rows(options.take);
  const key = table.primary.map((column) => writer.name(column)).join(', ');
  return finish(
    build,
    writer,
    dialect.limitedDelete({ table: table.sqlName, isView: table.isView, key, where, order, limit }),
  );
}

/** How to name the table if the condition names the rows' keys. */
function keyAccess(build: Build): ReturnType<NonNullable<Dialect['byKey']>> | undefined {
  const { keyIndex } = build.table;
  return keyIndex !== undefined && findsByKey(build) ? build.dialect.byKey?.(keyIndex) : undefined;
}

/** Whether the condition names the rows' keys. */
export function findsByKey({ table, condition }: Pick<Build, 'table' | 'condition'>): boolean {
  return table.primary.length === 1 && namesKey(table.primary[0]!, condition);
}

function namesKey(key: SqlColumn, condition: Condition<SqlColumn>): boolean {
  if (condition.kind === 'and') return condition.parts.some((part) => namesKey(key, part));
  if (condition.kind === 'or') return condition.parts.every((part) => namesKey(key, part));
  const equals = condition.kind === 'in' || (condition.kind === 'compare' && condition.op === '=');
  return equals && condition.subject.column === key;
}

function orderSql({ dialect, order, condition }: Build, writer: SqlWriter): string {
  const sorted = order.filter(({ column }) => dialect.sortsByNull || !isNullOnly(column, condition));
  const terms = sorted.map(({ column, direction }) => {
    // Without nulls to place, or with only nulls, a clause that places them would rule out the index.
    const isMixed = column.nullable && !isNullOnly(column, condition) && !isNeverNull(column, condition);
    const nulls = isMixed && !dialect.nullsFirst ? (direction === 'ASC' ? ' NULLS FIRST' : ' NULLS LAST') : '';
    return `${writer.sortable(column)} ${direction === 'DESC' ? 'DESC' : 'ASC'}${nulls}`;
  });
  return terms.length === 0 ? '' : ` ORDER BY ${terms.join(', ')}`;
}

function limitSql(writer: SqlWriter, { take, skip }: QueryOptions): string {
  if (take === undefined && skip === undefined) return '';
  return ` LIMIT ${writer.rows(take ?? NO_LIMIT)}${skip === undefined ? '' : ` OFFSET ${writer.rows(skip)}`}`;
}

export function finish({ dataSource, table }: Build, writer: SqlWriter, sql: string): Statement {
  const [text, parameters] = dataSource.driver.escapeQueryWithParameters(table.statement(sql), writer.slots);
  const slots = parameters as Slot[];
  const secrets = slots.flatMap(({ isSecret }, i) => (isSecret ? [i] : []));
  return { text, slots, secrets, isWrittenOut: writer.writesOut };
}
