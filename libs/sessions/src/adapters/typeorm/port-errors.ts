import { QueryFailedError } from 'typeorm';
import {
  SessionsConfigError,
  SessionsError,
  SessionsUnavailableError,
  SessionValidationError,
  UniqueConstraintError,
} from '../../errors/errors.js';
import { inTable, IS_REQUIRED, NOT_NULL } from '../../errors/messages.js';
import { reasonOf } from '../../errors/reason-of.js';
import { jsonParser } from './dialects/json.js';
import { type DriverError, isTableMissing, withoutValues } from './driver-errors.js';
import { NO_PARTITION_TAKES_IT, tableMissing } from './messages.js';
import type { SqlTable } from './sql-table.js';
import { unavailable } from './unavailable.js';
import { valuesByColumn } from './placeholders.js';
import { CHARACTERS_LACKING, unstorableColumns } from './unstorable-text.js';

/** The errors of PostgreSQL, and of MySQL and MariaDB, for a missing value or null in a NOT NULL column. */
const NOT_NULL_STATE = '23502';
const NOT_NULL_NUMBERS = new Set([1364, 1048]);

/** PostgreSQL's error for a failed check, or a row without a partition; MySQL and MariaDB have a number for the latter. */
const CHECK_STATE = '23514';
const NO_PARTITION = 1526;

/** The errors of MySQL and MariaDB for JSON that is nested too deeply. */
const JSON_TOO_DEEP = new Set([3157, 4040]);

/**
 * Converts the error of a statement into the port's form.
 *
 * @param inTransaction whether the statement is part of a transaction of the caller
 * @param secrets values of the statement that the error must not show
 */
export function portError(
  error: unknown,
  table: SqlTable,
  inTransaction: boolean,
  secrets: readonly unknown[] = [],
): unknown {
  if (error instanceof SessionsError) return error;
  const notNow = unavailable(error, table.name, inTransaction, secrets);
  if (notNow || !(error instanceof QueryFailedError)) return notNow ?? error;
  const { code, constraint, message = '' } = error.driverError as DriverError;
  switch (code) {
    case '23505':
      return taken(table, columnsOfConstraint(table, constraint ?? ''));
    case 'ER_DUP_ENTRY':
      return taken(table, columnsOfConstraint(table, keyIn(message, table.metadata.tableName)));
    case 'SQLITE_CONSTRAINT_UNIQUE':
    case 'SQLITE_CONSTRAINT_PRIMARYKEY':
      return taken(table, propertiesOf(table, columnsIn(message, table.metadata.tableName)));
    default:
      return (
        withoutTable(error, table, secrets) ??
        withoutPartition(error, table, secrets) ??
        missing(error, table) ??
        unstorable(error, table) ??
        tooLarge(error, table) ??
        withoutValues(error, secrets)
      );
  }
}

/** Clients are told nothing of hidden columns, such as digests. */
function taken({ name, columns }: SqlTable, properties: readonly string[]): UniqueConstraintError {
  const shown = properties.filter((property) => columns.get(property)?.hidden === false);
  return new UniqueConstraintError(name, properties, shown);
}

/** The table itself is missing, not one of a relation or of a trigger. */
function withoutTable(
  error: QueryFailedError,
  { name, metadata }: SqlTable,
  secrets: readonly unknown[],
): SessionsConfigError | undefined {
  if (!isTableMissing(error) || !isNamedIn(error.driverError.message, metadata.tableName)) return undefined;
  const cause = withoutValues(error, secrets);
  return new SessionsConfigError([inTable(name, tableMissing(reasonOf(cause.driverError)))], { cause });
}

/** Whether a message has this name, not only as a part of another one. The server may say the rest in any language. */
function isNamedIn(message: string, table: string): boolean {
  const around = message.toLowerCase().split(table.toLowerCase());
  return around.some(
    (after, i) => i > 0 && !/[\p{L}\p{N}_$-]$/u.test(around[i - 1]!) && !/^[\p{L}\p{N}_$-]/u.test(after),
  );
}

/** A row without a partition. Its values are not at fault. */
function withoutPartition(
  error: QueryFailedError,
  { name }: SqlTable,
  secrets: readonly unknown[],
): SessionsUnavailableError | undefined {
  const { code, constraint, errno } = error.driverError as DriverError;
  // For a failed check, PostgreSQL names the constraint.
  const isWithout = (code === CHECK_STATE && constraint === undefined) || errno === NO_PARTITION;
  if (!isWithout) return undefined;
  return new SessionsUnavailableError(name, NO_PARTITION_TAKES_IT, { cause: withoutValues(error, secrets) });
}

/** A column that requires a value: a new row gives none and it has no default, or an update copies null. */
function missing({ query, driverError }: QueryFailedError, table: SqlTable): SessionValidationError | undefined {
  const { code, errno, column, message = '' } = driverError as DriverError;
  const name =
    code === NOT_NULL_STATE
      ? column
      : code === 'SQLITE_CONSTRAINT_NOTNULL'
        ? columnsIn(message, table.metadata.tableName)[0]
        : NOT_NULL_NUMBERS.has(errno!)
          ? /^(?:Field|Column) '(.+)' (?:doesn't have|cannot be)/s.exec(message)?.[1]
          : undefined;
  const found = name === undefined ? undefined : table.metadata.findColumnWithDatabaseName(name);
  const problem = query.startsWith('INSERT') ? IS_REQUIRED : NOT_NULL;
  return found?.isSelect ? new SessionValidationError(table.name, { [found.propertyPath]: problem }) : undefined;
}

/** Characters that a character set lacks, for a table that was not checked or a set that is unknown. */
function unstorable(error: QueryFailedError, table: SqlTable): SessionValidationError | undefined {
  const properties = unstorableColumns(error, table);
  return properties.length === 0
    ? undefined
    : new SessionValidationError(
        table.name,
        Object.fromEntries(properties.map((property) => [property, CHARACTERS_LACKING])),
      );
}

/** MySQL's text ends at 64 KB and its JSON at 100 levels, MariaDB's at 32. */
function tooLarge(error: QueryFailedError, table: SqlTable): SessionValidationError | undefined {
  const { errno, message = '' } = error.driverError as DriverError;
  const pattern = errno === 1406 ? /for column '(.+)' at row/s : /^CONSTRAINT `(?:[^`]*\.)?([^`.]+)` failed/;
  const name = errno === 1406 || errno === 4025 ? pattern.exec(message)?.[1] : undefined;
  const column = name === undefined ? undefined : table.metadata.findColumnWithDatabaseName(name);
  const property = JSON_TOO_DEEP.has(errno!) ? deepest(error, table) : column?.isSelect && column.propertyPath;
  if (!property) return undefined;
  return new SessionValidationError(table.name, {
    [property]: 'is larger, or nested deeper, than this database stores',
  });
}

/** The column of the most deeply nested JSON in a statement, since MySQL does not name it. */
function deepest(error: QueryFailedError, table: SqlTable): string | undefined {
  const parse = jsonParser();
  const depths = valuesByColumn(error, table).flatMap(([{ kind, property }, value]): [string, number][] => {
    if (kind !== 'json' || typeof value !== 'string') return [];
    try {
      return [[property, depthOf(parse(value))]];
    } catch {
      // The name of a key that is changed.
      return [];
    }
  });
  return depths.toSorted(([, a], [, b]) => b - a)[0]?.[0];
}

function depthOf(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0;
  return 1 + Object.values(value).reduce<number>((most, one) => Math.max(most, depthOf(one)), 0);
}

/** The key in MySQL's message, `… for key 'sessions.userId'`; MariaDB omits the table. */
function keyIn(message: string, table: string): string {
  const key = /for key '(.+)'$/s.exec(message)?.[1] ?? '';
  return key.startsWith(`${table}.`) ? key.slice(table.length + 1) : key;
}

/** The columns in SQLite's message: `UNIQUE constraint failed: sessions.userId, sessions.serial`. Names may have any character. */
function columnsIn(message: string, table: string): string[] {
  const at = message.indexOf(`${table}.`);
  return at < 0 ? [] : message.slice(at + table.length + 1).split(`, ${table}.`);
}

function columnsOfConstraint({ metadata, primary }: SqlTable, name: string): string[] {
  const found = [...metadata.uniques, ...metadata.indices].find((constraint) => constraint.name === name);
  if (found) return found.columns.map((column) => column.propertyPath);
  return name === 'PRIMARY' || name === metadata.primaryColumns[0]?.primaryKeyConstraintName || /^PK_|_pkey$/.test(name)
    ? primary.map((column) => column.property)
    : columnNamedBy(metadata, name);
}

/** For a table that TypeORM did not create: the columns named in the constraint's name, except `id` inside `user_id`. */
function columnNamedBy(metadata: SqlTable['metadata'], name: string): string[] {
  const named = metadata.columns.filter(({ databaseName }) => name.includes(databaseName));
  return named
    .filter((column) => !named.some((other) => other !== column && other.databaseName.includes(column.databaseName)))
    .map((column) => column.propertyPath);
}

function propertiesOf({ metadata }: SqlTable, names: readonly string[]): string[] {
  return names.map((name) => metadata.findColumnWithDatabaseName(name)?.propertyPath ?? name);
}
