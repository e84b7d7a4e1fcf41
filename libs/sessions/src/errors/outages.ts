import { SessionsError, SessionsUnavailableError } from './errors.js';

/**
 * Why a storage cannot answer now: there is no connection, or the server has nothing left for one, or ends its statements;
 * others have locked what was to be read or written, and do not give it up in time; or nothing may be written where it was asked.
 */
export type Outage = 'down' | 'locked' | 'readOnly';

/** PostgreSQL's classes of errors that are about the server: connections, resources, its operator, its system. */
const CLASSES: ReadonlySet<string> = new Set(['08', '53', '57', '58']);

/** What it says beside those. */
const STATES: ReadonlyMap<string, Outage> = new Map([
  ['25006', 'readOnly'], // read_only_sql_transaction: of a standby too
  ['25P03', 'down'], // idle_in_transaction_session_timeout
  ['25P04', 'down'], // transaction_timeout
  ['55P03', 'locked'], // lock_not_available
]);

/** Such errors of MySQL and MariaDB, by number, for not every driver knows the names. */
const NUMBERS: ReadonlyMap<number, Outage> = new Map([
  [1021, 'down'], // ER_DISK_FULL
  [1037, 'down'], // ER_OUTOFMEMORY
  [1038, 'down'], // ER_OUT_OF_SORTMEMORY
  [1040, 'down'], // ER_CON_COUNT_ERROR
  [1041, 'down'], // ER_OUT_OF_RESOURCES
  [1047, 'down'], // ER_UNKNOWN_COM_ERROR: a node of Galera that is not in the primary component
  [1053, 'down'], // ER_SERVER_SHUTDOWN
  [1114, 'down'], // ER_RECORD_FILE_FULL
  [1129, 'down'], // ER_HOST_IS_BLOCKED
  [1135, 'down'], // ER_CANT_CREATE_THREAD
  [1158, 'down'], // ER_NET_READ_ERROR
  [1159, 'down'], // ER_NET_READ_INTERRUPTED
  [1160, 'down'], // ER_NET_ERROR_ON_WRITE
  [1161, 'down'], // ER_NET_WRITE_INTERRUPTED
  [1203, 'down'], // ER_TOO_MANY_USER_CONNECTIONS
  [1205, 'locked'], // ER_LOCK_WAIT_TIMEOUT
  [1206, 'down'], // ER_LOCK_TABLE_FULL
  [1226, 'down'], // ER_USER_LIMIT_REACHED
  [1290, 'readOnly'], // ER_OPTION_PREVENTS_STATEMENT: read_only
  [1317, 'down'], // ER_QUERY_INTERRUPTED
  [1792, 'readOnly'], // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  [1836, 'readOnly'], // ER_READ_ONLY_MODE
  [1927, 'down'], // ER_CONNECTION_KILLED
  [1969, 'down'], // ER_STATEMENT_TIMEOUT of MariaDB
  [3024, 'down'], // ER_QUERY_TIMEOUT of MySQL
  [3168, 'down'], // ER_SERVER_ISNT_AVAILABLE
  [3169, 'down'], // ER_SESSION_WAS_KILLED
  [3572, 'locked'], // ER_LOCK_NOWAIT
  [4031, 'down'], // ER_CLIENT_INTERACTION_TIMEOUT
]);

/** Such errors of SQLite: another process has the file, it is not to be written, or the system does not give what it needs. */
const SQLITE_CODES: readonly (readonly [RegExp, Outage])[] = [
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, 'locked'],
  [/^SQLITE_READONLY/, 'readOnly'],
  [/^SQLITE_(FULL|IOERR|CANTOPEN|NOMEM|CORRUPT|NOTADB)/, 'down'],
];

/** What drivers and TypeORM say of connections and pools by errors that have no code. */
const CODELESS =
  /^(Connection terminated|timeout e|Query read timeout|Received unexpected|Client (has encountered a connection error|was closed)|Cannot use a pool|The server does not support SSL|There was an error establishing an SSL|Pool is closed|No connections available|Queue limit reached|Driver not Connected|Connection is not established|The database connection is not open|Can't (add new command|write))/;

/** Node's own errors that are none of a connection, such as of a converter that was given what it does not take. */
const MISTAKE = /^ERR_(?!SSL|TLS|SOCKET|STREAM)/;

/** What drivers put on their errors; Node's own have negative numbers, and `mysql2` says what ends a connection. */
interface DriverError extends Error {
  readonly code?: string;
  readonly errno?: number;
  readonly fatal?: boolean;
}

const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/** Why a statement failed, where that is about the connection, a lock or the server; none where it is about the statement. */
export function outageOf(error: unknown): Outage | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, code, errno, fatal } = ('driverError' in error ? error.driverError : error) as DriverError;
  if (errno !== undefined && errno > 0) return NUMBERS.get(errno);
  // Whatever else has no code is of the application: its subscribers, transformers and parsers of types run in a statement too.
  if (code === undefined) return fatal || CODELESS.test(message) ? 'down' : undefined;
  if (MISTAKE.test(code)) return undefined;
  if (code.startsWith('SQLITE_')) return SQLITE_CODES.find(([pattern]) => pattern.test(code))?.[1];
  return !SQLSTATE.test(code) || CLASSES.has(code.slice(0, 2)) ? 'down' : STATES.get(code);
}

/** Whether each other statement of the kind would fail now as this one did. */
export function isOutage(error: unknown): boolean {
  if (error instanceof SessionsError) return error instanceof SessionsUnavailableError;
  return outageOf(error) !== undefined;
}
