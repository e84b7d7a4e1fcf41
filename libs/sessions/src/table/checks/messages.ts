const seconds = (ms: number): string => `${(Math.abs(ms) / 1000).toFixed(1)} s`;

// Problems with columns.
export const columnMissing = (name: string): string => `there is no column "${name}".`;

export const columnUnknown = (name: string): string =>
  `the column "${name}" is not nullable and has no default, and no session has a value for it: add it to extraFields, or give it a default.`;

export const columnNeedsNull = (name: string): string =>
  `the column "${name}" must be nullable, because new sessions have null there: drop its NOT NULL.`;

export const columnGenerated = (name: string): string =>
  `only the database writes the column "${name}", but sessions have to: make it an ordinary column, or remove it from extraFields.`;

export const columnTooShort = (name: string, length: number, needed: number): string =>
  `the column "${name}" holds ${length} characters, and needs ${needed}.`;

export const keyNotMade = (name: string): string =>
  `nothing in the database makes a value for "${name}", though its columns option says so: give the column a default, make it an identity or AUTO_INCREMENT, or set generate: () => … there.`;

// Warnings about columns.
export const keyMadeUnseen = (name: string): string =>
  `the database should make the values of the column "${name}", which has no default: unless a trigger or the table behind a view makes them, no session can be created.`;

export const fieldTakesNull = (name: string): string =>
  `the column "${name}" is not nullable, but its field is: set nullable: false there.`;

export const fieldTooShort = (name: string, length: number, defined: number): string =>
  `the column "${name}" holds ${length} characters, and its field ${defined}: set length: ${length} there.`;

export const columnFilledByTrigger = (name: string): string =>
  `the column "${name}" is not nullable and has no default, and no session has a value for it: unless a trigger gives it one, no session can be created.`;

// Texts about indexes.
export const uniqueMissing = (columns: readonly string[]): string =>
  `nothing in the table enforces that ${columns.join(', ')} is unique, as its field says.`;

export const indexMissing = (columns: readonly string[]): string =>
  `there is no index on ${columns.join(', ')}, so each search reads all rows.`;

export const ownerWithoutIndex = (column: string): string =>
  `there is no index on ${column}, so each sign-in reads all rows: set index: true in its field, and add the index.`;

export const indexInvalid = (name: string): string => `the index "${name}" could not be built, and is not used.`;

// Texts about tables.
export const nameTooLong = (longest: number): string =>
  `its name has more than ${longest} characters, which the database refuses: give it a shorter one.`;

export const nameCutOff = (bytes: number): string =>
  `its name has more than ${bytes} bytes, and the database cuts off the rest: give it a shorter one.`;

export const tableShared = (other: string): string =>
  `the database takes its name for that of the table of ${other}, so tokens of one pass for tokens of the other: give them names that differ in the part that the database keeps.`;

const KINDS: Readonly<Record<string, string>> = {
  'materialized view': 'a materialized view',
  'foreign table': 'a foreign table, whose rows another server has',
  virtual: 'a virtual table',
};

export const notATable = (kind: string): string =>
  `it is ${KINDS[kind] ?? 'no table'}, which cannot store sessions: give its name to a table, or use another name.`;

export const VIEW_UNCHANGEABLE =
  'it is a view through which rows cannot be inserted, changed and deleted as in a table; with INSTEAD OF triggers, two simultaneous requests could both succeed. Use the table itself, or a view of the columns of a single table.';

export const RULES = 'it has rules (CREATE RULE), which hide what a statement has changed: replace them with triggers.';

export const policiesMissing = (statements: readonly string[]): string =>
  `row-level security is on, and no policy lets this user ${statements.join(', ')}: add such policies, or let the user of the data source bypass it (BYPASSRLS).`;

export const TABLE_MISSING = 'there is no such table: run the migration that creates it.';

export const marksMissing = (owner: string): string =>
  `there is no table that notes changes of the credentials of a ${owner}, so they cannot be changed: call createSessionsTable(queryRunner, …) in a migration again; it leaves alone what already exists.`;

export const ROW_SECURITY =
  'row-level security decides which of its rows this user sees; a session that its policies hide is unknown, and its token a 401. Let the user of the data source bypass it (BYPASSRLS).';

export const noTransactions = (engine: string): string =>
  `the engine ${engine} has no transactions, so limits of sessions do not hold, and failures are not rolled back.`;

// Texts about databases.
export const clockDiffers = (ms: number): string =>
  `its clock is ${seconds(ms)} ${ms > 0 ? 'ahead of' : 'behind'} this process's. Sessions begin and end by the clocks of the processes: synchronise them.`;

export const READ_ONLY = 'it takes no writes now, so nobody can sign in or out, and no session is extended.';

export const SEVERAL_WRITERS =
  'it is a node of a Galera cluster (wsrep_on). Where more than one node takes writes, limits of concurrent sessions do not hold, and a session that one node has ended may pass on another for a moment: send all writes and reads of sessions to one node.';

export const NOT_STRICT =
  'its sql_mode is not strict, so values that a column cannot hold are cut off instead of refused: add STRICT_TRANS_TABLES to it.';

export const NO_BACKSLASH_ESCAPES =
  'the sql_mode of its connections has NO_BACKSLASH_ESCAPES. A quote in a value, as the driver escapes it, then ends the value, so a request may add to the statement: remove it.';

export const tooManyPrepared = (held: number, most: number): string =>
  `the connections of this process may hold ${held} of its statements prepared, and the server keeps ${most} for all applications (max_prepared_stmt_count); others are sent unprepared, which is slower. Raise it, or give the pool fewer connections.`;

export const isolation = (level: string): string =>
  `its default isolation level is ${level}. Calls with the manager of such a transaction may be refused, or rolled back because of others: begin it as READ COMMITTED.`;
