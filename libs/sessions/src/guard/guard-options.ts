import { SessionsConfigError } from '../errors/errors.js';
import { configured } from '../errors/known-options.js';
import { isObject } from '../errors/option-types.js';
import type { TableReference } from '../registry/sessions.registry.js';
import { DEFINITION } from '../table/definition.js';
import type { ExtraFields } from '../table/fields.js';
import type { RelationName } from '../table/inferred-types.js';
import type { AnyFields, ExtraOf, TableFields } from '../table/table-fields.js';
import { relationsNoList } from './messages.js';

/** The names of a table's relations; the table is given by class, definition or name. */
export type RelationOf<T> = T extends new (...args: never[]) => { readonly fields: infer F extends AnyFields }
  ? RelationName<F>
  : T extends { readonly extraFields: infer F extends ExtraFields }
    ? RelationName<TableFields<ExtraOf<F>>>
    : string;

/** What a guard loads in addition to the session. */
export interface SessionGuardOptions<T = TableReference> {
  /**
   * The relations to load with each session, from whichever of the guard's tables has them: those to one entity by the query
   * that looks the token up, others by further ones. They come from the database, even if the table has a near cache.
   */
  readonly relations?: readonly RelationOf<T>[];
}

const GUARD_OPTIONS = { relations: true } satisfies Record<keyof SessionGuardOptions, true>;

/** The tables of a guard and the relations that it loads. */
export interface Guarded {
  readonly tables: readonly TableReference[];
  readonly relations: readonly string[];
}

/** Parses the arguments of `for`: tables, then options. @throws SessionsConfigError for unknown options */
export function guardedBy(given: readonly (TableReference | SessionGuardOptions)[]): Guarded {
  const last = given.at(-1);
  if (given.length < 2 || !isObject(last) || isDefinition(last))
    return { tables: given as TableReference[], relations: [] };
  const { relations = [] } = configured('SessionGuard', last as SessionGuardOptions, GUARD_OPTIONS);
  if (!Array.isArray(relations)) throw new SessionsConfigError([relationsNoList(relations)]);
  return { tables: given.slice(0, -1) as TableReference[], relations };
}

function isDefinition(options: object): boolean {
  return Object.keys(options).some((name) => Object.hasOwn(DEFINITION, name));
}

/** Whether two guards have the same tables and load the same relations. */
export function isSameGuarded(a: Guarded, b: Guarded): boolean {
  return isSameList(a.tables, b.tables) && isSameList(a.relations, b.relations);
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((entry, i) => entry === b[i]);
}
