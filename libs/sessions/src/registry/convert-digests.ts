import type { QueryRunner } from 'typeorm';
import {
  type DigestColumns,
  type DigestProgress,
  dropDigests,
  fillDigests,
} from '../adapters/typeorm/conversion/convert.js';
import { DEFINITIONS_DIFFER, IN_TRANSACTION, TOKENS_IN_CLEAR } from '../adapters/typeorm/conversion/messages.js';
import { refusal } from '../adapters/typeorm/conversion/read-conversion.js';
import { adapt } from '../adapters/typeorm/adapt.js';
import { configured } from '../errors/known-options.js';
import { FUNCTION, type OptionType, type SimpleType } from '../errors/option-types.js';
import { digestsOf } from '../table/columns.js';
import type { SessionsTableDefinition } from '../table/definition.js';
import { hidesTokens } from '../token/digest.js';
import { type AnySessionsTable, tableClassOf } from './sessions-table.js';
import { metadataOf } from './table-metadata.js';

/** How {@link dropFormerDigests} works. */
export interface DropFormerDigestsOptions {
  /** The table with the columns to drop: a definition that differs in the `columns` of its digests. */
  from: AnySessionsTable | SessionsTableDefinition;
  /** The most rows of a statement, on SQLite, which empties the columns. @default 1000 */
  batch?: number;
}

/** How {@link convertDigests} works. */
export interface ConvertDigestsOptions extends DropFormerDigestsOptions {
  /** The table as it is: a definition that differs in the `columns` of its digests. */
  from: AnySessionsTable | SessionsTableDefinition;
  /** The most rows of a statement, each of which is a transaction. @default 1000 */
  batch?: number;
  /** Called when the conversion begins, and after each batch. @default none */
  onProgress?: (progress: DigestProgress) => void;
}

const MAX_BATCH = 10_000;
const DEFAULT_BATCH = 1000;

const BATCH: SimpleType = {
  is: (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_BATCH,
  what: `a whole number from 1 to ${MAX_BATCH}`,
};

const DROP_OPTIONS = { from: true, batch: BATCH } satisfies Record<keyof DropFormerDigestsOptions, OptionType>;
const CONVERT_OPTIONS = { ...DROP_OPTIONS, onProgress: FUNCTION } satisfies Record<
  keyof ConvertDigestsOptions,
  OptionType
>;

/**
 * Copies the digests of a table in use into other columns, in the form that those have: from hexadecimal text to bytes,
 * or back. Triggers keep both equal, so that instances with the old definition and with the new one run side by side.
 * Then {@link dropFormerDigests} drops the old columns.
 *
 * It works in batches, each committed, so the migration needs `readonly transaction = false`, and the data source
 * `migrationsTransactionMode: 'each'`. After a crash, run it again: it goes on where it was. It does nothing if the old
 * columns are gone.
 *
 * @param table the table as it will be, whose digests have new names in `columns`
 * @throws SessionsConfigError for a table that cannot be converted, with the way out
 * @example
 * ```ts
 * const FormerSessions = { table: 'sessions', columns: { authTokenDigest: { form: 'hex' } } } as const;
 *
 * export class AddDigestBytes1700000000000 implements MigrationInterface {
 *   readonly transaction = false;
 *
 *   async up(queryRunner: QueryRunner) {
 *     await convertDigests(queryRunner, Sessions, { from: FormerSessions });
 *   }
 *   async down(queryRunner: QueryRunner) {
 *     await dropFormerDigests(queryRunner, FormerSessions, { from: Sessions });
 *   }
 * }
 * ```
 */
export async function convertDigests(
  queryRunner: QueryRunner,
  table: AnySessionsTable | SessionsTableDefinition,
  options: ConvertDigestsOptions,
): Promise<void> {
  const { from, batch = DEFAULT_BATCH, onProgress = () => {} } = configured('convertDigests', options, CONVERT_OPTIONS);
  await fillDigests(queryRunner, await columnsOf(queryRunner, from, table), batch, onProgress);
}

/**
 * Drops the columns that {@link convertDigests} has copied, once no instance uses them. On SQLite it empties them
 * instead. It does nothing if they are gone.
 *
 * @param table the table with the columns to keep
 * @throws SessionsConfigError if a row has no digest there
 * @example
 * ```ts
 * const FormerSessions = { table: 'sessions', columns: { authTokenDigest: { form: 'hex' } } } as const;
 * await dropFormerDigests(queryRunner, Sessions, { from: FormerSessions });
 * ```
 */
export async function dropFormerDigests(
  queryRunner: QueryRunner,
  table: AnySessionsTable | SessionsTableDefinition,
  options: DropFormerDigestsOptions,
): Promise<void> {
  const { from, batch = DEFAULT_BATCH } = configured('dropFormerDigests', options, DROP_OPTIONS);
  await dropDigests(queryRunner, await columnsOf(queryRunner, from, table), batch);
}

/** The old and the new columns. */
async function columnsOf(
  queryRunner: QueryRunner,
  from: AnySessionsTable | SessionsTableDefinition,
  to: AnySessionsTable | SessionsTableDefinition,
): Promise<DigestColumns> {
  const before = await metadataOf(queryRunner, from);
  const after = await metadataOf(queryRunner, to);
  adapt(queryRunner.dataSource, after);
  const [former, { definition }] = [tableClassOf(from), tableClassOf(to)];
  const properties = digestsOf(definition);
  if (queryRunner.isTransactionActive) throw refusal(after, IN_TRANSACTION);
  if (before.tablePath !== after.tablePath || digestsOf(former.definition).length !== properties.length)
    throw refusal(after, DEFINITIONS_DIFFER);
  const { hashingAlgorithm, formerSchemes = [] } = definition;
  if (hashingAlgorithm === null || !formerSchemes.every(hidesTokens)) throw refusal(after, TOKENS_IN_CLEAR);
  return { before, after, properties };
}
