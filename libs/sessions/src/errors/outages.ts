import { SessionsError, SessionsUnavailableError } from './errors.js';

/** PostgreSQL's classes of errors that are about the server: connections, resources, its operator, its system. */
const CLASSES: ReadonlySet<string> = new Set(['08', '53', '57', '58']);

/** Such errors of MySQL and MariaDB, by number, for not every driver knows the names. */
const NUMBERS: ReadonlySet<number> = new Set([
  1021, // ER_DISK_FULL
  1037, // ER_OUTOFMEMORY
  1038, // ER_OUT_OF_SORTMEMORY
  1040, // ER_CON_COUNT_ERROR
  1041, // ER_OUT_OF_RESOURCES
  1053, // ER_SERVER_SHUTDOWN
  1203, // ER_TOO_MANY_USER_CONNECTIONS
  1226, // ER_USER_LIMIT_REACHED
  1317, // ER_QUERY_INTERRUPTED
  1927, // ER_CONNECTION_KILLED
  1969, // ER_STATEMENT_TIMEOUT of MariaDB
  3024, // ER_QUERY_TIMEOUT of MySQL
  4031, // ER_CLIENT_INTERACTION_TIMEOUT
]);

/** Such errors of SQLite: another process has the file, or the system does not give what it needs. */
const SQLITE_CODE = /^SQLITE_(BUSY|LOCKED|PROTOCOL|FULL|IOERR|CANTOPEN|NOMEM|CORRUPT|NOTADB)/;

/** What drivers put on their errors; Node's own have negative numbers. */
interface DriverError extends Error {
  readonly code?: string;
  readonly errno?: number;
}

const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/**
 * Whether an error of a statement is about the connection, a limit or the server, so that each other statement would meet it
 * now. Drivers have codes of the server's for what is not, or errors of other classes than `Error`.
 */
export function isOutage(error: unknown): boolean {
  if (error instanceof SessionsError) return error instanceof SessionsUnavailableError;
  if (!(error instanceof Error)) return false;
  const { name, code, errno } = ('driverError' in error ? error.driverError : error) as DriverError;
  if (errno !== undefined && errno > 0) return NUMBERS.has(errno);
  if (code?.startsWith('SQLITE_')) return SQLITE_CODE.test(code);
  if (code !== undefined) return !SQLSTATE.test(code) || CLASSES.has(code.slice(0, 2));
  return name === 'Error';
}
