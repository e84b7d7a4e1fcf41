import type { DataSource } from 'typeorm';
import { all, columnOf, compileWhere, type Condition } from '../conditions.js';
import type { Direction, Prepared, QueryKind, QueryOptions, Row, Schema, Where } from '../sessions-adapter.js';
import { SessionValidationError, UnsupportedQueryError } from '../../errors/errors.js';
import { storedRow } from '../rows.js';
import { ValueError } from '../values.js';
import type { Dialect } from './dialects.js';
import { type Slot, SqlWriter } from './sql.js';
import type { SqlColumn, SqlTable } from './sql-table.js';

/** A statement whose text is final and whose values are filled in at each run. */
export interface Statement {
  readonly text: string;
  readonly slots: readonly Slot[];
}

/** A query of {@link TypeOrmAdapter}, compiled. */
export interface SqlPrepared extends Prepared {
  readonly table: SqlTable;
  readonly options: QueryOptions;
  readonly condition: Condition<SqlColumn>;
  readonly statement: Statement;
  /** The columns that a run returns, if any. */
  readonly columns: readonly SqlColumn[] | undefined;
  readonly count: boolean;
  /** Whether the database cannot return the changed rows by the statement itself. */
  readonly emulatesReturning: boolean;
}

/** More rows than any table has, for an offset without a limit, which two of the databases refuse. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export function prepareQuery(
  dataSource: DataSource,
  dialect: Dialect,
  table: SqlTable,
  kind: QueryKind,
  schema: Schema,
  options: QueryOptions,
  narrowedBy?: Where | readonly Where[],
): SqlPrepared {
  const condition = all([compileWhere(table, options.where), compileWhere(table, narrowedBy)]);
  const parts = { kind, schema, table, options, condition, count: options.count ?? false, emulatesReturning: false };
  const order = orderOf(options);
  for (const [name] of order) columnOf(table, name);
  const build = { dataSource, dialect, table };
  if (kind === 'all') {
    if (options.relations && (options.select || table.primary.length !== 1)) {
      throw new UnsupportedQueryError(
        `Table "${table.name}": relations come with whole rows of a table with one key column, so without select.`,
      );
    }
    const columns = selected(table, options.select) ?? [...table.columns.values()];
    const statement = options.count
      ? countStatement(build, condition, options)
      : selectStatement(build, condition, columns, options);
    return { ...parts, columns: options.count ? undefined : columns, statement };
  }
  if (
    options.relations ||
    options.skip !== undefined ||
    (kind === 'updateAll' && (options.take !== undefined || order.length > 0))
  ) {
    throw new UnsupportedQueryError(
      `Table "${table.name}": ${kind} takes no relations and no skip, and only deleteAll a take and an order.`,
    );
  }
  const returning = selected(table, options.returning?.length ? options.returning : undefined);
  const returns = dialect.returning.has(kind === 'updateAll' ? 'update' : 'delete');
  const statement =
    kind === 'updateAll'
      ? updateStatement(build, condition, options.set ?? {})
      : deleteStatement(build, condition, options);
  const text = statement.text + (returning && returns ? returningSql(dataSource, returning) : '');
  return {
    ...parts,
    columns: returning,
    emulatesReturning: returning !== undefined && !returns,
    statement: { ...statement, text },
  };
}

/** The clause that gives back columns of the rows that a statement wrote. */
export function returningSql({ driver }: DataSource, columns: readonly SqlColumn[]): string {
  return ` RETURNING ${columns.map((column) => `${column.read(column.sqlName)} AS ${driver.escape(column.property)}`).join(', ')}`;
}

/** The values of a statement, in the order in which the driver binds them. */
export function bindParams(prepared: SqlPrepared, params: Readonly<Row>): unknown[] {
  return prepared.statement.slots.map((slot) => {
    if ('constant' in slot) return slot.constant;
    const value = params[slot.param];
    if (value === undefined)
      throw new SessionValidationError(prepared.table.name, {
        [slot.param]: 'is a parameter of the query and was not given',
      });
    try {
      return slot.convert(value);
    } catch (error) {
      if (error instanceof ValueError)
        throw new SessionValidationError(prepared.table.name, { [slot.param]: error.message });
      throw error;
    }
  });
}

/** A raw row under property names, each value as the application has it. */
export function loadRow(columns: readonly SqlColumn[], raw: Readonly<Row>): Row {
  const row: Row = {};
  for (const column of columns) row[column.property] = column.load(raw[column.property]);
  return row;
}

interface Build {
  readonly dataSource: DataSource;
  readonly dialect: Dialect;
  readonly table: SqlTable;
}

function selected(table: SqlTable, names: readonly string[] | undefined): SqlColumn[] | undefined {
  return names?.map((name) => columnOf(table, name));
}

function selectStatement(
  build: Build,
  condition: Condition<SqlColumn>,
  columns: readonly SqlColumn[],
  options: QueryOptions,
): Statement {
  const { driver } = build.dataSource;
  // The alias keeps an order by "createdAt" from meaning the selected expression of that name.
  const alias = driver.escape('t');
  const writer = new SqlWriter(build.dialect, `${alias}.`);
  const list = columns
    .map((column) => `${column.read(writer.name(column))} AS ${driver.escape(column.property)}`)
    .join(', ');
  const where = writer.write(condition);
  return finish(
    build,
    writer,
    `SELECT ${list} FROM ${build.table.sqlName} ${alias} WHERE ${where}${orderSql(build, writer, options)}${limitSql(writer, options)}`,
  );
}

function countStatement(build: Build, condition: Condition<SqlColumn>, { take, skip }: QueryOptions): Statement {
  if (take !== undefined || skip !== undefined) {
    throw new UnsupportedQueryError(`Table "${build.table.name}": a count takes no take and no skip.`);
  }
  const writer = new SqlWriter(build.dialect);
  return finish(build, writer, `SELECT COUNT(*) AS count FROM ${build.table.sqlName} WHERE ${writer.write(condition)}`);
}

function updateStatement(build: Build, condition: Condition<SqlColumn>, set: Row): Statement {
  const { dialect, table } = build;
  const writer = new SqlWriter(dialect);
  const assignments = [...storedRow(table, set)].map(
    ([column, value]) => `${writer.name(column)} = ${writer.value(column, value)}`,
  );
  if (assignments.length === 0) throw new SessionValidationError(table.name, { set: 'names no column to update' });
  return finish(
    build,
    writer,
    `UPDATE ${table.sqlName} SET ${assignments.join(', ')} WHERE ${writer.write(condition)}`,
  );
}

function deleteStatement(build: Build, condition: Condition<SqlColumn>, options: QueryOptions): Statement {
  const { dialect, table } = build;
  const writer = new SqlWriter(dialect);
  const where = writer.write(condition);
  if (options.take === undefined) return finish(build, writer, `DELETE FROM ${table.sqlName} WHERE ${where}`);
  const order = orderSql(build, writer, options);
  return finish(
    build,
    writer,
    dialect.limitedDelete({ table: table.sqlName, where, order, limit: writer.rows(options.take) }),
  );
}

/** The columns to sort by that have a direction. */
function orderOf({ order = {} }: QueryOptions): [string, Direction][] {
  return Object.entries(order).filter((term): term is [string, Direction] => term[1] !== undefined);
}

function orderSql({ dialect, table }: Build, writer: SqlWriter, options: QueryOptions): string {
  const terms = orderOf(options).map(([name, direction]) => {
    const column = columnOf(table, name);
    const sql = column.kind === 'string' ? dialect.byCodePoint(writer.name(column)) : writer.name(column);
    const nulls = column.nullable && !dialect.nullsFirst ? (direction === 'ASC' ? ' NULLS FIRST' : ' NULLS LAST') : '';
    return `${sql} ${direction === 'DESC' ? 'DESC' : 'ASC'}${nulls}`;
  });
  return terms.length === 0 ? '' : ` ORDER BY ${terms.join(', ')}`;
}

function limitSql(writer: SqlWriter, { take, skip }: QueryOptions): string {
  if (take === undefined && skip === undefined) return '';
  return ` LIMIT ${writer.rows(take ?? NO_LIMIT)}${skip === undefined ? '' : ` OFFSET ${writer.rows(skip)}`}`;
}

function finish({ dataSource }: Build, writer: SqlWriter, sql: string): Statement {
  const [text, slots] = dataSource.driver.escapeQueryWithParameters(sql, writer.slots);
  return { text, slots: slots as Slot[] };
}
