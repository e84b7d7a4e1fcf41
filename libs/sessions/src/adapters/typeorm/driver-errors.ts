import { QueryFailedError } from 'typeorm';
import { SessionsUnavailableError, SessionValidationError, UniqueConstraintError } from '../../errors/errors.js';
import { IS_REQUIRED, NOT_NULL } from '../../errors/messages.js';
import type { SqlTable } from './sql-table.js';
import { CHARACTERS_LACKING, unstorableColumn } from './unstorable-text.js';

interface DriverError {
  readonly code?: string;
  readonly errno?: number;
  readonly constraint?: string;
  readonly column?: string;
  readonly message?: string;
}

/** What PostgreSQL calls work that it undoes for the sake of other work: a serialization failure, a deadlock. */
const UNDONE_STATES = new Set(['40001', '40P01']);

/** The same of MySQL and MariaDB: a deadlock, a row that has changed since it was read. */
const UNDONE_NUMBERS = new Set([1213, 1020]);

/** What MySQL and MariaDB call a lock that was waited for in vain. */
const LOCK_WAIT_TIMEOUT = 1205;

/** What PostgreSQL, and MySQL and MariaDB, call a column that gets no value, or null, and has to have one. */
const NOT_NULL_STATE = '23502';
const NOT_NULL_NUMBERS = new Set([1364, 1048]);

/** Whether the database has undone the work, and with it the transaction that it was part of. */
export function isUndone(error: unknown): boolean {
  const { code, errno } = driverErrorOf(error);
  return UNDONE_STATES.has(code!) || UNDONE_NUMBERS.has(errno!);
}

/** Whether MySQL or MariaDB did not wait, or no longer, for what others had locked. */
export function isLockTimeout(error: unknown): boolean {
  return errnoOf(error) === LOCK_WAIT_TIMEOUT;
}

/** The number by which MySQL and MariaDB call what went wrong. */
export function errnoOf(error: unknown): number | undefined {
  return driverErrorOf(error).errno;
}

/** What the driver said, also of an error that the port has made of it. */
function driverErrorOf(error: unknown): DriverError {
  const failed = error instanceof Error && error.cause instanceof QueryFailedError ? error.cause : error;
  return failed instanceof QueryFailedError ? (failed.driverError as DriverError) : {};
}

/**
 * The error as the port has it. What a database and its driver say of a statement contains the values, which may be
 * digests, so nothing of those is kept. @see OWASP ASVS 5.0, 16.2.5
 */
export function portError(error: unknown, table: SqlTable): unknown {
  if (!(error instanceof QueryFailedError)) return error;
  if (isUndone(error)) return undone(error, table);
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
        missing(error, table) ??
        unstorable(error, table) ??
        tooLarge(error.driverError as DriverError, table) ??
        withoutValues(error)
      );
  }
}

/** Of columns that nothing shows, such as a digest, a client is told nothing. */
function taken({ name, columns }: SqlTable, properties: readonly string[]): UniqueConstraintError {
  const shown = properties.filter((property) => columns.get(property)?.hidden === false);
  return new UniqueConstraintError(name, properties, shown);
}

/** What can be done again, but by nobody who has not begun it. */
function undone(error: QueryFailedError, { name }: SqlTable): SessionsUnavailableError {
  const cause = withoutValues(error);
  const problem = `the database has undone this for the sake of others (${cause.message}). Where it was part of a transaction, that is over, and has to be run again from its beginning.`;
  return new SessionsUnavailableError(name, problem, { cause });
}

/** A column that has to have a value: a new row gives none and there is no default, or an update copies null. */
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

/** What a character set lacks, of a table that nobody has looked at, or a set that is not known. */
function unstorable(error: QueryFailedError, table: SqlTable): SessionValidationError | undefined {
  const property = unstorableColumn(error, table);
  return property === undefined
    ? undefined
    : new SessionValidationError(table.name, { [property]: CHARACTERS_LACKING });
}

/** MySQL's text ends at 64 KB, MariaDB's JSON at 32 levels. */
function tooLarge({ errno, message = '' }: DriverError, table: SqlTable): SessionValidationError | undefined {
  const pattern = errno === 1406 ? /for column '(.+)' at row/s : /^CONSTRAINT `(?:[^`]*\.)?([^`.]+)` failed/;
  const name = errno === 1406 || errno === 4025 ? pattern.exec(message)?.[1] : undefined;
  const column = name === undefined ? undefined : table.metadata.findColumnWithDatabaseName(name);
  if (!column?.isSelect) return undefined;
  return new SessionValidationError(table.name, {
    [column.propertyPath]: 'is larger, or nested deeper, than this database stores',
  });
}

/** The statement and what went wrong with it, but neither its values nor the row that PostgreSQL shows as a detail. */
function withoutValues(error: QueryFailedError): QueryFailedError {
  const { name, message, stack, code, errno, constraint } = error.driverError as Error & DriverError;
  const driverError = Object.assign(new Error(message), { name, stack, code, errno, constraint });
  return Object.assign(new QueryFailedError(error.query, [], driverError), { stack: error.stack });
}

/** The key in what MySQL says, `… for key 'sessions.userId'`, and MariaDB without the table. */
function keyIn(message: string, table: string): string {
  const key = /for key '(.+)'$/s.exec(message)?.[1] ?? '';
  return key.startsWith(`${table}.`) ? key.slice(table.length + 1) : key;
}

/** The columns in what SQLite says: `UNIQUE constraint failed: sessions.userId, sessions.serial`; any name may have any character. */
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

/** Of a table that TypeORM did not make, the columns whose names stand in the constraint's, but for `id` within `user_id`. */
function columnNamedBy(metadata: SqlTable['metadata'], name: string): string[] {
  const named = metadata.columns.filter(({ databaseName }) => name.includes(databaseName));
  return named
    .filter((column) => !named.some((other) => other !== column && other.databaseName.includes(column.databaseName)))
    .map((column) => column.propertyPath);
}

function propertiesOf({ metadata }: SqlTable, names: readonly string[]): string[] {
  return names.map((name) => metadata.findColumnWithDatabaseName(name)?.propertyPath ?? name);
}
