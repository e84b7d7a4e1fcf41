import { SessionValidationError } from '../../errors/errors.js';
import { knownOptions } from '../../errors/known-options.js';
import {
  CONFLICT_OPTIONS,
  INSERT_OPTIONS,
  type InsertOptions,
  type OnConflict,
  STREAM_OPTIONS,
  type StreamOptions,
} from './query.js';

const CHUNK = 500;

/** Validates the options of an insert. @throws SessionValidationError */
export function insertOptions(table: string, options: InsertOptions): InsertOptions & { onConflict: OnConflict } {
  const { onConflict, ...others } = knownOptions(table, options, INSERT_OPTIONS);
  return { onConflict: checkedConflict(table, onConflict), ...others };
}

/** Validates the options of an insert of many rows, which returns none. @throws SessionValidationError */
export function insertAllOptions(
  table: string,
  options: Omit<InsertOptions, 'returning' | 'joint'>,
): Omit<InsertOptions, 'returning' | 'joint'> & { onConflict: OnConflict } {
  const { onConflict, ...others } = knownOptions(table, options, { onConflict: true, keepPrepared: true });
  return { onConflict: checkedConflict(table, onConflict), ...others };
}

/** The rows per chunk of a stream. @throws SessionValidationError */
export function chunkOption(table: string, options: StreamOptions): number {
  const { maxRows = CHUNK } = knownOptions(table, options, STREAM_OPTIONS);
  if (Number.isInteger(maxRows) && maxRows > 0) return maxRows;
  throw new SessionValidationError(table, { maxRows: 'must be a whole number of at least 1' });
}

function checkedConflict(table: string, onConflict: OnConflict = 'raise'): OnConflict {
  if (onConflict === 'raise' || onConflict === 'nothing') return onConflict;
  if (typeof onConflict === 'object') return knownOptions(table, onConflict, CONFLICT_OPTIONS);
  throw new SessionValidationError(table, { onConflict: "must be 'raise', 'nothing' or { update, target }" });
}
