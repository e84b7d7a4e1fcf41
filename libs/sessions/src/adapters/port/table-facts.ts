import type { Schema } from './query.js';

/** A column as the catalogue of the database has it. */
export interface ColumnFacts {
  readonly name: string;
  /**
   * Its type in lower case, as the database says it in full, without length and precision, such as `timestamp without time zone`,
   * `datetime`, `bigint unsigned`, `bytea`; of a domain the type that it is made of, in SQLite what the table was made with.
   */
  readonly type: string;
  readonly nullable: boolean;
  /** The most characters of a text, or bytes of a binary string. */
  readonly length?: number;
  /** Digits of a second's fraction, or of a decimal number. */
  readonly precision?: number;
  /** Digits of a decimal number after its point. */
  readonly scale?: number;
  readonly characterSet?: string;
  readonly collation?: string;
  readonly hasDefault: boolean;
  /**
   * How the database makes its values: as an `expression` of others, `always` by itself, or `ifNotGiven`, as for a serial, an
   * auto-increment, and SQLite's `INTEGER PRIMARY KEY`.
   */
  readonly generated?: 'expression' | 'always' | 'ifNotGiven';
}

export interface IndexFacts {
  readonly name: string;
  /** Its columns in their order; null for an expression. */
  readonly columns: readonly (string | null)[];
  readonly unique: boolean;
  readonly primary: boolean;
  /** Whether the database uses it: one that could not be built concurrently is not. */
  readonly valid: boolean;
  /** Of a partial one the condition. */
  readonly predicate?: string;
  /** Whether it holds the beginnings of its columns alone. */
  readonly ofPrefixes?: boolean;
}

export type TableKind =
  'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table' | 'system-versioned' | 'virtual' | 'other';

/** A table as the catalogue of the database has it. */
export interface TableFacts {
  readonly name: string;
  readonly kind: TableKind;
  /** By the names that the entity gives them, others by their own. */
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** The columns of the primary key. */
  readonly primary: readonly string[];
  /** All of them, those of the primary key and of unique constraints too; none where they could not be read. */
  readonly indexes?: readonly IndexFacts[];
  readonly triggers?: readonly string[];
  /** Whether other tables inherit from it, partitions excepted. */
  readonly inherited?: boolean;
  /** Whether row-level security decides which rows this user sees. */
  readonly rowSecurity?: boolean;
  /** What MySQL and MariaDB keep it with, in lower case. */
  readonly engine?: string;
  /** Of a table of SQLite that is made WITHOUT ROWID. */
  readonly withoutRowid?: boolean;
}

/** A database server, and the settings of its connections; what could not be read is not there. */
export interface ServerFacts {
  readonly product: 'postgres' | 'mysql' | 'mariadb' | 'sqlite';
  readonly version?: string;
  /** The isolation level of transactions that ask for none, such as `read committed`. */
  readonly isolation?: string;
  readonly readOnly?: boolean;
  readonly timeZone?: string;
  /** Milliseconds that its clock is ahead of this process's, as well as one statement can tell. */
  readonly clockAheadMs?: number;
  /** How long a name can be. */
  readonly longestName?: { readonly bytes: number } | { readonly characters: number };
  /** PostgreSQL: whether a pooler, such as PgBouncer, is in between. */
  readonly pooled?: boolean;
  /** MySQL and MariaDB. */
  readonly sqlMode?: readonly string[];
  /** MariaDB: whether a transaction that is repeatable fails where another one has changed what it changes. */
  readonly snapshotIsolation?: boolean;
  /** MariaDB: whether it is a node of a Galera cluster, which all take writes. */
  readonly wsrep?: boolean;
}

/** What a look at the catalogue has found. */
export interface DatabaseFacts {
  readonly server: ServerFacts;
  /** By their schemas, and by those of the tables that their relations lead to; none of one that is not there. */
  readonly tables: ReadonlyMap<Schema, TableFacts>;
  /** What could not be read, and why. */
  readonly unread: readonly string[];
}
