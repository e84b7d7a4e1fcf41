import type { TimeForm } from './value-forms.js';
import type { Schema } from './query.js';

/** A column as the catalogue of the database has it. */
export interface ColumnFacts {
  /** Its name in the database. */
  readonly name: string;
  /**
   * Its type in lower case, as the database says it in full, without length and precision, such as `timestamp without time zone`,
   * `datetime`, `bigint unsigned`, `bytea`. For a domain it is the underlying type, in SQLite the declared one.
   */
  readonly type: string;
  /** Whether it takes null. */
  readonly nullable: boolean;
  /** The most characters of a text, or bytes of a binary string. */
  readonly length?: number;
  /** Digits of a second's fraction, or of a decimal number. */
  readonly precision?: number;
  /** Digits of a decimal number after its point. */
  readonly scale?: number;
  /** Of text: what it can hold. */
  readonly characterSet?: string;
  /** Of text: how it is compared. */
  readonly collation?: string;
  /** Of a column of times in SQLite: the form of the stored ones; `'unknown'`: in none of these forms, or in several. */
  readonly times?: TimeForm | 'unknown';
  /** Whether a row without a value for it gets one. */
  readonly hasDefault: boolean;
  /**
   * How the database generates its values: as an `expression` of others, `always`, or `ifNotGiven`, as for a serial, an
   * auto-increment, and SQLite's `INTEGER PRIMARY KEY`.
   */
  readonly generated?: 'expression' | 'always' | 'ifNotGiven';
}

/** An index, or a unique constraint, as the catalogue has it. */
export interface IndexFacts {
  /** Its name in the database. */
  readonly name: string;
  /** Its columns in their order; null for an expression. */
  readonly columns: readonly (string | null)[];
  /** Whether no two rows may have the same values. */
  readonly unique: boolean;
  /** Whether it is the index of the primary key. */
  readonly primary: boolean;
  /** Whether the database uses it: one that could not be built concurrently is not. */
  readonly valid: boolean;
  /** The condition of a partial index. */
  readonly predicate?: string;
  /** Whether it has only the beginnings of its columns. */
  readonly ofPrefixes?: boolean;
}

/** What goes by the name of a table. */
export type TableKind =
  'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table' | 'system-versioned' | 'virtual' | 'other';

/** What an entity expects of its table, in the database's terms. */
export interface EntityNames {
  /** The table's name with its schema, quoted. */
  readonly path: string;
  /** Its columns by their properties, each with the statement that adds it. */
  readonly columns: ReadonlyMap<string, { readonly name: string; readonly addedBy: string }>;
  /** Its indexes and unique constraints, each with the names of its columns and the statement that adds it. */
  readonly indexes: readonly {
    readonly columns: readonly string[];
    readonly unique: boolean;
    readonly addedBy: string;
  }[];
}

/** A table as the catalogue of the database has it. */
export interface TableFacts {
  /** Its name in the database. */
  readonly name: string;
  /** What the entity expects of it. */
  readonly entity: EntityNames;
  /** What it is. */
  readonly kind: TableKind;
  /** The columns, by the names that the entity gives them, others by their own. */
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** The columns of the primary key. */
  readonly primary: readonly string[];
  /** All its indexes, including those of the primary key and of unique constraints; absent if they could not be read. */
  readonly indexes?: readonly IndexFacts[];
  /** The names of its triggers; absent if they could not be read. */
  readonly triggers?: readonly string[];
  /** Whether other tables, except partitions, inherit from it. */
  readonly inherited?: boolean;
  /** If it is no table: whether its rows can be inserted, changed and deleted like those of one. */
  readonly changeable?: boolean;
  /** PostgreSQL: whether rules (`CREATE RULE`) replace statements. */
  readonly rules?: boolean;
  /** Whether row-level security decides which rows this user sees. */
  readonly rowSecurity?: boolean;
  /** The statements that row-level security refuses this user on every row, such as `INSERT`. */
  readonly refusedByPolicies?: readonly string[];
  /** The storage engine of MySQL and MariaDB, in lower case. */
  readonly engine?: string;
  /** SQLite: whether the table was created WITHOUT ROWID. */
  readonly withoutRowid?: boolean;
}

/** A database server, and the settings of its connections; what could not be read is absent. */
export interface ServerFacts {
  /** Which database it is. */
  readonly product: 'postgres' | 'mysql' | 'mariadb' | 'sqlite';
  /** Its version, as it says it. */
  readonly version?: string;
  /** The isolation level of transactions that ask for none, such as `read committed`. */
  readonly isolation?: string;
  /** Whether it takes no writes now. */
  readonly readOnly?: boolean;
  /** The time zone of its connections. */
  readonly timeZone?: string;
  /** The milliseconds by which its clock is ahead of this process's, as well as one statement can tell. */
  readonly clockAheadMs?: number;
  /** How long a name can be. */
  readonly longestName?: { readonly bytes: number } | { readonly characters: number };
  /** MySQL and MariaDB: how they read statements, and take values. */
  readonly sqlMode?: readonly string[];
  /** MariaDB: whether a repeatable transaction fails if another one has changed what it changes. */
  readonly snapshotIsolation?: boolean;
  /** MariaDB: whether it is a node of a Galera cluster, which all take writes. */
  readonly wsrep?: boolean;
  /** MySQL and MariaDB: how many statements it keeps prepared, for all applications (`max_prepared_stmt_count`). */
  readonly mostPrepared?: number;
}

/** The prepared statements that an adapter keeps on a server. */
export interface PreparedFacts {
  /** How many different ones there were so far: as many as each connection may hold. */
  readonly perConnection: number;
  /** The most connections of the pool; absent if it has no limit. */
  readonly connections?: number;
}

/** What a check of the catalogue has found. */
export interface DatabaseFacts {
  /** The server that the tables are on. */
  readonly server: ServerFacts;
  /** The tables, by their schemas, including those that their relations lead to; missing tables are absent. */
  readonly tables: ReadonlyMap<Schema, TableFacts>;
  /**
   * The names of the schemas' own tables, whether they exist or not, as the entity gives them, and as the database takes them:
   * for example cut off if they are too long.
   */
  readonly names: ReadonlyMap<Schema, { readonly given: string; readonly stored: string }>;
  /** The prepared statements; absent if no server keeps any, as with SQLite. */
  readonly prepared?: PreparedFacts;
  /** What could not be read, and why. */
  readonly unread: readonly string[];
}
