import type { ServerFacts, TableFacts } from '../../adapters/port/table-facts.js';
import type { ResolvedOptions } from '../../options/resolved-options.js';
import type { SessionsTableDefinition } from '../definition.js';

/** What a finding is about. */
export type FindingCode =
  | 'columnMissing'
  | 'columnRequired'
  | 'columnTooShort'
  | 'columnGenerated'
  | 'indexMissing'
  | 'indexInvalid'
  | 'uniqueMissing'
  | 'nameTooLong'
  | 'tableShared'
  | 'tableMissing'
  | 'kindOfTable'
  | 'keyNotMade'
  | 'rowSecurity'
  | 'noTransactions'
  | 'clock'
  | 'readOnly'
  | 'severalWriters'
  | 'sqlMode'
  | 'isolation'
  | 'preparedStatements'
  | 'unread';

/** What a check of a table, or of its database, has found. */
export interface Finding {
  /** What kind of finding it is. */
  readonly code: FindingCode;
  /** What is wrong, and the way out. */
  readonly text: string;
  /** The statement that fixes it. */
  readonly statement?: string;
}

/** A table as it is defined, and as its database has it. */
export interface LookedAtTable {
  readonly definition: SessionsTableDefinition;
  readonly options: ResolvedOptions;
  readonly table: TableFacts;
  readonly server: ServerFacts;
}

/** A finding in words, for a log or an error. */
export function inWords({ text, statement }: Finding): string {
  return statement === undefined ? text : `${text} To mend it: ${statement}`;
}
