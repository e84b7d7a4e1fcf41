import { SessionsUnavailableError } from '../../errors/errors.js';
import type { SqlPrepared } from './compile-query.js';
import { isUndone } from './driver-errors.js';
import { OVER_BY_ERROR } from './messages.js';
import { answered } from './own-transactions.js';
import type { SingleStatements } from './single-statements.js';

/** Runs `fn`; in a transaction of the caller's as a part of it. */
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
    // What is undone by now says nothing of the rest of the transaction.
    throw error instanceof SessionsUnavailableError ? (error.cause ?? error) : error;
  }
}

/** That others were in the way of a statement says nothing of the storage, nor, within a part of a transaction, of the rest of that. */
export async function withoutOthers<T>(statement: () => Promise<T>): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    throw isUndone(error) ? (error as Error).cause : error;
  }
}
