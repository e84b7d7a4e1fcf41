import { SessionsUnavailableError } from '../../errors/errors.js';
import type { SqlPrepared } from './compile-query.js';
import { isUndone } from './driver-errors.js';
import { OVER_BY_ERROR } from './messages.js';
import { answered } from './own-transactions.js';
import type { SingleStatements } from './single-statements.js';

/** Runs `fn`, in a savepoint if the caller has a transaction. */
export async function inPart<T>(
  { connection: { runner, isInTransaction } }: SingleStatements,
  { table: { name } }: SqlPrepared,
  fn: () => Promise<T>,
): Promise<T> {
  if (!runner || !isInTransaction) return fn();
  await answered(runner, name, () => runner.startTransaction());
  try {
    const result = await fn();
    await answered(runner, name, () => runner.commitTransaction());
    return result;
  } catch (error) {
    await runner.rollbackTransaction().catch((cause: unknown) => {
      throw new SessionsUnavailableError(name, OVER_BY_ERROR, { cause });
    });
    // What is rolled back already says nothing about the rest of the transaction.
    throw error instanceof SessionsUnavailableError ? (error.cause ?? error) : error;
  }
}

/** A statement blocked by others says nothing about the storage, nor, in a savepoint, about the rest of the transaction. */
export async function withoutOthers<T>(statement: () => Promise<T>): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    throw isUndone(error) ? (error as Error).cause : error;
  }
}
