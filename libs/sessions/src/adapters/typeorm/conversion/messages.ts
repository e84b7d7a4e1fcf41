// Why digests are not converted.
export const IN_TRANSACTION =
  'its digests are converted batch by batch, each committed: give the migration `readonly transaction = false`, and the data source `migrationsTransactionMode: "each"`; to revert it, use `migration:revert --transaction none`';

export const TABLE_MISSING = 'the database has no such table: create it with createSessionsTable';

export const olderSqlite = (version: string): string =>
  `only SQLite 3.53 or later can let a column be empty without copying the table, and this is ${version}: install a newer better-sqlite3`;

export const NO_PLAIN_TABLE =
  'only the digests of a plain table are converted, not those of a view, or of a table with partitions, history or tables that inherit from it: leave its digests as they are, or copy its rows into a new table';

export const TOKENS_IN_CLEAR =
  'hashingAlgorithm, or a former scheme, is null, so it holds tokens in clear, which have no bytes: leave them text';

export const DEFINITIONS_DIFFER =
  'the definition in `from` must be of the same table, with the same `rotation`: copy it, and change only `columns`';

export const sameName = (property: string, name: string): string =>
  `old and new digests are in columns of their own, and ${property} is "${name}" in both definitions: give it a new name in \`columns\``;

export const columnLacking = (name: string): string =>
  `it has no column "${name}": \`from\` must have the names of the columns that it has`;

export const inBase64 = (name: string): string =>
  `"${name}" holds digests in base64url, and only hexadecimal ones are converted: leave them as they are`;

export const notSynced = (name: string, other: string): string =>
  `it has a column "${name}" with digests already, which nothing keeps equal to "${other}", so they may be of tokens that have been replaced: finish with dropFormerDigests, or empty "${name}"`;

export const noDigests = (column: string, rows: number): string =>
  `${rows} rows have something else than a digest in hexadecimal in "${column}", such as tokens in clear or other letters: delete or mend these, or leave the digests text`;

export const otherLengths = (column: string, type: string, rows: number): string =>
  `${rows} rows have digests of other lengths than "${column}" ${type} takes, as tables with several hashing schemes have: say no type in \`columns\`, and it takes all`;

export const unfinished = (column: string, rows: number): string =>
  `${rows} rows have no digest in "${column}" yet, and their sessions would end: run convertDigests first`;
