import { UnsupportedQueryError } from '../../errors/errors.js';
import type { Column, Columns } from '../port/columns.js';
import { Param } from '../port/operators.js';
import type { Prepared, QueryOptions } from '../port/query.js';
import { all, type Condition } from './conditions.js';
import { IMPOSSIBLE } from './values.js';

/** The parts of a query that runs for several sets of parameters. */
interface Query<C extends Column> extends Pick<Prepared, 'kind'> {
  readonly table: Columns<C> & { readonly primary: readonly C[] };
  readonly options: QueryOptions;
  readonly condition: Condition<C>;
}

/** A condition in which a parameter names the key of a row. */
export type KeyCondition<C extends Column> = Condition<C> & { readonly kind: 'compare'; readonly value: Param };

/**
 * The condition in which each set of parameters names its row.
 *
 * @throws UnsupportedQueryError for a query without one, or one that compares a parameter with anything but a column
 */
export function keyConditionOf<C extends Column>({ kind, table, options, condition }: Query<C>): KeyCondition<C> {
  const refuse = (what: string): never => {
    throw new UnsupportedQueryError(`Table "${table.name}": ${what}.`);
  };
  if (kind !== 'updateAll' || options.returning?.length) refuse('executeEach is for an updateAll without returning');
  const found = namedByKey({ table, condition });
  if (!found)
    return refuse('executeEach needs a condition by which a parameter names the row, such as { id: param("id") }');
  if (!isOfColumns(condition)) refuse('executeEach compares parameters with columns only, and one by one');
  return found;
}

/**
 * Like {@link keyConditionOf}, for a query that may also return columns; `undefined` if it cannot run for several sets.
 */
export function joinableBy<C extends Column>({ kind, table, condition }: Query<C>): KeyCondition<C> | undefined {
  return kind === 'updateAll' && isOfColumns(condition) ? namedByKey({ table, condition }) : undefined;
}

/** The condition in which a parameter names the one key of a row, together with others that must hold. */
export function namedByKey<C extends Column>({
  table,
  condition,
}: Pick<Query<C>, 'table' | 'condition'>): KeyCondition<C> | undefined {
  return partsOf(condition).find((part): part is KeyCondition<C> => namesKey(part, table.primary));
}

/**
 * The condition for all sets together, with their stored keys instead of the parameter, or besides it.
 *
 * @param isJoined whether to compare a row's key with its own parameter as well
 */
export function oneOfKeys<C extends Column>(
  condition: Condition<C>,
  named: KeyCondition<C>,
  keys: readonly unknown[],
  isJoined: boolean,
): Condition<C> {
  const { subject } = named;
  const values = keys.filter((key) => key !== IMPOSSIBLE);
  const inKeys: Condition<C> = values.length > 0 ? { kind: 'in', subject, values } : { kind: 'constant', value: false };
  const others = isJoined ? partsOf(condition) : partsOf(condition).filter((part) => !namesKey(part, [subject.column]));
  return all([inKeys, ...others]);
}

/** The conditions that must all hold. */
function partsOf<C extends Column>(condition: Condition<C>): readonly Condition<C>[] {
  return condition.kind === 'and' ? condition.parts : [condition];
}

function namesKey<C extends Column>(part: Condition<C>, [key, ...others]: readonly C[]): boolean {
  if (part.kind !== 'compare' || part.op !== '=' || others.length > 0) return false;
  return part.subject.column === key && !part.subject.path && part.value instanceof Param;
}

/** Whether no parameter is a list, a pattern, or compared with a value inside JSON. */
function isOfColumns(condition: Condition): boolean {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.parts.every(isOfColumns);
    case 'not':
      return isOfColumns(condition.part);
    case 'compare':
      return !condition.subject.path || !(condition.value instanceof Param);
    case 'in': {
      const { subject, values } = condition;
      return !(values instanceof Param) && (!subject.path || !values.some((value) => value instanceof Param));
    }
    case 'like':
      return !(condition.pattern instanceof Param);
    default:
      return true;
  }
}
