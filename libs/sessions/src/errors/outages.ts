import { SessionsError, SessionsUnavailableError } from './errors.js';

/**
 * Why a storage cannot answer now. `'down'`: there is no connection, or the server has no resources left or ends
 * statements. `'locked'`: others hold locks too long. `'readOnly'`: it accepts no writes.
 */
export type Outage = 'down' | 'locked' | 'readOnly';

/** PostgreSQL's error classes about the server: connections, resources, operator intervention, system errors. */
const CLASSES: ReadonlySet<string> = new Set(['08', '53', '57', '58']);

/** PostgreSQL's states outside these classes. */
const STATES: ReadonlyMap<string, Outage> = new Map([
  ['25006', 'readOnly'], // read_only_sql_transaction, also on a standby
  ['25P03', 'down'], // idle_in_transaction_session_timeout
  ['25P04', 'down'], // transaction_timeout
  ['55P03', 'locked'], // lock_not_available
]);

/** The same errors of MySQL and MariaDB, by number, since not every driver knows the names. */
const NUMBERS: ReadonlyMap<number, Outage> = new Map([
  [1021, 'down'], // ER_DISK_FULL
  [1037, 'down'], // ER_OUTOFMEMORY
  [1038, 'down'], // ER_OUT_OF_SORTMEMORY
  [1040, 'down'], // ER_CON_COUNT_ERROR
  [1041, 'down'], // ER_OUT_OF_RESOURCES
  [1047, 'down'], // ER_UNKNOWN_COM_ERROR: a Galera node outside the primary component
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

/** The same errors of SQLite: another process holds the file, it is read-only, or the system lacks resources. */
const SQLITE_CODES: readonly (readonly [RegExp, Outage])[] = [
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, 'locked'],
  [/^SQLITE_READONLY/, 'readOnly'],
  [/^SQLITE_(FULL|IOERR|CANTOPEN|NOMEM|CORRUPT|NOTADB)/, 'down'],
];

/** Messages of drivers and TypeORM about connections and pools, in errors without a code. */
const CODELESS =
  /^(Connection terminated|timeout e|Query read timeout|Received unexpected|Client (has encountered a connection error|was closed)|Cannot use a pool|The server does not support SSL|There was an error establishing an SSL|Pool is closed|No connections available|Queue limit reached|Driver not Connected|Connection is not established|The database connection is not open|Can't (add new command|write))/;

/** Node's own errors that are not about a connection, such as a converter's for a wrong argument. */
const MISTAKE = /^ERR_(?!SSL|TLS|SOCKET|STREAM)/;

/** The fields that drivers add to errors. Node's own have negative numbers; `mysql2` marks what ends a connection. */
interface DriverError extends Error {
  readonly code?: string;
  readonly errno?: number;
  readonly fatal?: boolean;
}

const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/** Why a statement failed, if the connection, a lock or the server is to blame; `undefined` if the statement is. */
export function outageOf(error: unknown): Outage | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, code, errno, fatal } = ('driverError' in error ? error.driverError : error) as DriverError;
  if (errno !== undefined && errno > 0) return NUMBERS.get(errno);
  // Other errors without a code come from the application: its subscribers, transformers and type parsers also run
  // here.
  if (code === undefined) return fatal || CODELESS.test(message) ? 'down' : undefined;
  if (MISTAKE.test(code)) return undefined;
  if (code.startsWith('SQLITE_')) return SQLITE_CODES.find(([pattern]) => pattern.test(code))?.[1];
  return !SQLSTATE.test(code) || CLASSES.has(code.slice(0, 2)) ? 'down' : STATES.get(code);
}

/** Whether any other statement of the kind would fail now, too. */
export function isOutage(error: unknown): boolean {
  if (error instanceof SessionsError) return error instanceof SessionsUnavailableError;
  return outageOf(error) !== undefined;
}
