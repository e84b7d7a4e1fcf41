import { shown } from '../../errors/messages.js';

// Why the database cannot answer now.
export const DOWN = (reason: string): string => `the database cannot answer now (${reason}).`;

export const LOCKED = (reason: string): string => `others have locked it, and did not release it in time (${reason}).`;

export const READ_ONLY = (reason: string): string =>
  `the database takes no writes here (${reason}): it is a standby, or read-only; connect to the primary.`;

export const UNDONE = (reason: string): string =>
  `the database has rolled this back because of other work (${reason}).`;

export const TRANSACTION_OVER =
  ' The transaction that it was part of is over, and has to be run again from its beginning.';

export const NO_MANAGER_OF_IT =
  '{ manager } must be an entity manager of the data source that has the table, such as that of its transaction(…).';

export const OVER_BY_ERROR = 'the transaction of the caller is over, because of a database error in it.';

export const lockNotGiven = (name: string, seconds: number): string =>
  `waited ${seconds} seconds for the lock "${name}", which another connection holds.`;

// Why a column cannot hold times.
export const formNeeded = (type: string): string =>
  `its type is ${type}, so say what its numbers are: form: 'seconds' or 'milliseconds'`;

export const noTimes = (type: string, types: readonly string[]): string =>
  `its type ${type} holds no times: make it ${types.join(' or ')}, or bigint with form: 'milliseconds'`;

export const noNumbers = (form: string, type: string): string =>
  `form: ${shown(form)} is for a column of whole numbers, and its type is ${type}`;

export const noMilliseconds = (type: string): string =>
  `its type ${type} has no room for milliseconds since 1970: make it bigint`;

export const textOfTimes = (form: string): string =>
  `form: ${shown(form)} is text, and only SQLite stores times as text`;

export const unknownTimes = (column: string): string =>
  `its rows hold times in several forms, or in none that the library can compare. If all of them are text, UPDATE … SET ${column} = strftime('%Y-%m-%d %H:%M:%f', ${column}) converts them to one`;

// Why a table cannot be used.
export const tableMissing = (reason: string): string =>
  `the database of its data source has no such table (${reason}): run the migration that creates it, with createSessionsTable or from migration:generate; to try things out, set synchronize: true in the data source. If it exists, the data source connects to another database or schema.`;

// Why nothing is written to a table.
export const madeOtherwise = (column: string, type: string): string =>
  `it was created after the application started, with ${type} for "${column}", which is not the type that the library creates: restart the application, and it stores digests as the table does.`;

// Why statements are not kept prepared.
export const connectionsAreMixed = (code: string): string =>
  `The server no longer knows statements that it prepared (${code}), as behind a pooler that mixes connections: they are sent unprepared from now on, which is slower. Let the pooler keep them (max_prepared_statements of PgBouncer), or set preparedStatements: false.`;

export const notKept = (reason: string): string =>
  `The server does not keep statements prepared (${reason}): they are sent unprepared for a minute at a time, which is slower. Raise max_prepared_stmt_count, lower the connections of the pools, or set preparedStatements: false.`;

// Why a row could not be written.
export const ROW_NOT_KEPT = 'the database stored no row and reported no error: a trigger has left it out.';

export const NO_PARTITION_TAKES_IT = 'it has no partition for the row: add one, or one for all other rows.';

// What an update for several sets of parameters does not support.
export const noListByRow = (table: string, column: string): string =>
  `Table "${table}": executeEach gives no values to "${column}", which holds lists.`;

// Why there is no answer.
export const notAnswered = (ms: number): string =>
  `the database has not answered within ${ms} ms, and was told to give up.`;
export const APPLICATION_ENDS =
  'the application stops, and no longer waits for the database: what was under way may have been done.';
export const TIME_IS_OVER = 'the time for this statement is over';

// In the words of `better-sqlite3`.
export const NOT_BOUND = 'SQLite3 can only bind numbers, strings, bigints, buffers, and null';
export const NOT_OPEN = 'The database connection is not open';
