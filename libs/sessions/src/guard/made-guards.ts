import type { CanActivate, Type } from '@nestjs/common';
import type { TableReference } from '../registry/sessions.registry.js';
import { type Guarded, isSameGuarded } from './guard-options.js';

/** A guard that `for` has created. */
interface MadeGuard {
  readonly base: Type;
  readonly guarded: Guarded;
  readonly guard: Type<CanActivate>;
}

/** The guards created by `for`. Nest knows a guard by its class, so the same tables share one class. */
const MADE: MadeGuard[] = [];

/** Returns the guard class of a base for these tables, and creates it, named after them, if there is none yet. */
export function madeGuard<G extends CanActivate>(base: Type<G>, guarded: Guarded, make: () => Type<G>): Type<G> {
  const made = MADE.find((entry) => entry.base === base && isSameGuarded(entry.guarded, guarded));
  if (made) return made.guard as Type<G>;
  const guard = make();
  const names = [...guarded.tables.map(nameOf), ...guarded.relations];
  Object.defineProperty(guard, 'name', { value: `${base.name}(${names.join(', ')})` });
  MADE.push({ base, guarded, guard });
  return guard;
}

/** The base of a created guard. */
export function baseOf(guard: unknown): Type | undefined {
  return MADE.find((entry) => entry.guard === guard)?.base;
}

/** All guards that `for` has created in this process. */
export function guardsMade(): readonly Type[] {
  return MADE.map(({ guard }) => guard);
}

function nameOf(table: TableReference): string {
  return typeof table === 'string' ? table : typeof table === 'function' ? table.name : (table.table ?? 'sessions');
}
