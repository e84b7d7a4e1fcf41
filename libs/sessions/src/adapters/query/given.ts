import { SessionValidationError } from '../../errors/errors.js';
import type { Row } from '../port/query.js';
import { ValueError } from './values.js';

/** Follows the column's name in the names of its further parameters. No column name contains it. */
export const FURTHER = '\0';

/** A parameter of a query, and the conversion of its value for the storage. */
interface GivenSlot {
  readonly param: string;
  readonly convert: (given: unknown) => unknown;
}

/**
 * The values for slots, each a constant or a parameter, as the storage takes them.
 *
 * @param table the table that an error names
 * @throws SessionValidationError naming every parameter that is missing or of another type
 */
export function givenValues(
  table: string,
  slots: readonly (GivenSlot | { readonly constant: unknown })[],
  params: Readonly<Row>,
): unknown[] {
  const values: unknown[] = [];
  let problems: Map<string, string> | undefined;
  for (const slot of slots) {
    if ('constant' in slot) {
      values.push(slot.constant);
      continue;
    }
    const { param, convert } = slot;
    try {
      // Every object has a `constructor`.
      const given = Object.hasOwn(params, param) ? params[param] : undefined;
      if (given === undefined) throw new ValueError('is a parameter of the query and was not given');
      values.push(convert(given));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const column = param.split(FURTHER, 1)[0]!;
      problems ??= new Map();
      if (!problems.has(column)) problems.set(column, error.message);
    }
  }
  if (problems) throw new SessionValidationError(table, Object.fromEntries(problems));
  return values;
}
