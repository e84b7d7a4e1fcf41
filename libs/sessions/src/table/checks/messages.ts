const seconds = (ms: number): string => `${(Math.abs(ms) / 1000).toFixed(1)} s`;

// Problems with columns.
export const columnMissing = (name: string): string => `there is no column "${name}".`;

export const columnUnknown = (name: string): string =>
  `the column "${name}" may not be null and has no default, and no session has a value for it: add it to extraFields, or give it a default.`;

export const columnNeedsNull = (name: string): string =>
  `the column "${name}" has to take null, which new sessions have there: drop its NOT NULL.`;

export const columnGenerated = (name: string): string =>
  `the database alone writes the column "${name}", which sessions are to write: make it a column like others, or leave it out of extraFields.`;

export const columnTooShort = (name: string, length: number, needed: number): string =>
  `the column "${name}" holds ${length} characters, and needs ${needed}.`;

export const keyNotMade = (name: string): string =>
  `nothing in the database makes a value for "${name}", as its columns option says: give the column a default, make it an identity or AUTO_INCREMENT, or say generate: () => … there.`;

// Warnings about columns.
export const keyMadeUnseen = (name: string): string =>
  `the column "${name}" has no default, and is to get its values by the database: unless a trigger makes them, or the table of a view, no session can be created.`;

export const fieldTakesNull = (name: string): string =>
  `the column "${name}" may not be null, though its field may: say nullable: false there.`;

export const fieldTooShort = (name: string, length: number, defined: number): string =>
  `the column "${name}" holds ${length} characters, and its field ${defined}: say length: ${length} there.`;

export const columnFilledByTrigger = (name: string): string =>
  `the column "${name}" may not be null and has no default, and no session has a value for it: unless a trigger gives it one, no session can be created.`;

// Texts about indexes.
export const uniqueMissing = (columns: readonly string[]): string =>
  `nothing in the table keeps ${columns.join(', ')} unique, as its field says.`;

export const indexMissing = (columns: readonly string[]): string =>
  `there is no index on ${columns.join(', ')}, so that all rows are read to find some.`;

export const ownerWithoutIndex = (column: string): string =>
  `there is no index on ${column}, so that each sign-in reads all rows: say index: true in its field, and add it.`;

export const indexInvalid = (name: string): string => `the index "${name}" could not be built, and is not used.`;

// Texts about tables.
export const nameTooLong = (longest: number): string =>
  `its name has more than ${longest} characters, which the database refuses: give it a shorter one.`;

export const nameCutOff = (bytes: number): string =>
  `its name has more than ${bytes} bytes, of which the database keeps the first: give it a shorter one.`;

export const tableShared = (other: string): string =>
  `to the database its name is that of the table of ${other}, so that tokens of one pass for tokens of the other: give them names that differ in what it keeps.`;

const KINDS: Readonly<Record<string, string>> = {
  'materialized view': 'a materialized view',
  'foreign table': 'a foreign table, whose rows another server has',
  virtual: 'a virtual table',
};

export const notATable = (kind: string): string =>
  `it is ${KINDS[kind] ?? 'none'}, in which sessions cannot be kept: let a table have its name, or say another one.`;

export const VIEW_UNCHANGEABLE =
  'it is a view through which rows are not inserted, changed and deleted as in a table; of two requests at the same time, INSTEAD OF triggers do the work of both. Take the table itself, or a view of the columns of a single table.';

export const RULES =
  'it has rules (CREATE RULE), under which a statement does not tell what it has changed: make triggers of them.';

export const policiesMissing = (statements: readonly string[]): string =>
  `row-level security is on, and no policy lets this user ${statements.join(', ')}: add such policies, or let the user of the data source pass by it (BYPASSRLS).`;

export const TABLE_MISSING = 'there is no such table: run the migration that makes it.';

export const marksMissing = (owner: string): string =>
  `there is no table in which changes of the credentials of a ${owner} are noted, without which they cannot be changed: call createSessionsTable(queryRunner, …) in a migration once more, which leaves alone what is there.`;

export const ROW_SECURITY =
  'row-level security decides which of its rows this user sees; a session that its policies hide is unknown, and its token a 401. Let the user of the data source pass by it (BYPASSRLS).';

export const noTransactions = (engine: string): string =>
  `the engine ${engine} has no transactions, so that limits of sessions do not hold, and what fails is not undone.`;

// Texts about databases.
export const clockDiffers = (ms: number): string =>
  `its clock is ${seconds(ms)} ${ms > 0 ? 'ahead of' : 'behind'} this process's. Sessions begin and end by the clocks of the processes: let all of them follow one.`;

export const READ_ONLY = 'it takes no writes now, so that nobody signs in or out, and no session is extended.';

export const SEVERAL_WRITERS =
  'it is a node of a Galera cluster (wsrep_on). Where more than one node takes writes, limits of concurrent sessions do not hold, and a session that one node has ended may pass on another for a moment: send all writes and reads of sessions to one node.';

export const NOT_STRICT =
  'its sql_mode is not strict, so that what a column cannot hold is cut off, and not refused: add STRICT_TRANS_TABLES to it.';

export const NO_BACKSLASH_ESCAPES =
  'the sql_mode of its connections has NO_BACKSLASH_ESCAPES, in which a quote in a value, as the driver writes it, ends that, so that a request may add to the statement: take it out.';

export const tooManyPrepared = (held: number, most: number): string =>
  `the connections of this process may hold ${held} of its statements prepared, and the server keeps ${most} for all applications (max_prepared_stmt_count); others are sent unprepared, which is slower. Raise it, or give the pool fewer connections.`;

export const isolation = (level: string): string =>
  `its transactions are ${level} unless they say otherwise. Calls that are given the manager of such a transaction may be refused, or undone by others: begin it as READ COMMITTED.`;
