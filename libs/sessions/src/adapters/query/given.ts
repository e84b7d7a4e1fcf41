import { SessionValidationError } from '../../errors/errors.js';
import { ownValue } from '../../util/own-value.js';
import type { Row } from '../port/query.js';
import { ValueError } from './values.js';

/** Follows the column's name in the names of its further parameters. No column name contains it. */
export const FURTHER = '\0';

/** Collects problems with the parameters given to a query. */
export class Problems {
  #problems: Record<string, string> | undefined;

  /** @param table the table that an error names */
  constructor(private readonly table: string) {}

  /** The value of a parameter as the storage takes it; meaningless if there is a problem with it. */
  valueOf(name: string, convert: (given: unknown) => unknown, params: Readonly<Row>): unknown {
    const given = ownValue(params, name);
    if (given === undefined) return this.#add(name, 'is a parameter of the query and was not given');
    try {
      return convert(given);
    } catch (error) {
      if (error instanceof ValueError) return this.#add(name, error.message);
      throw error;
    }
  }

  /** @throws SessionValidationError naming every parameter with a problem */
  throwAny(): void {
    if (this.#problems) throw new SessionValidationError(this.table, this.#problems);
  }

  #add(name: string, problem: string): void {
    const [column] = name.split(FURTHER, 1);
    this.#problems = { [column!]: problem, ...this.#problems };
  }
}
