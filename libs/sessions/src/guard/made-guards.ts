import type { Type } from '@nestjs/common';
import type { TableReference } from '../registry/sessions.registry.js';
import { type Guarded, isSameGuarded } from './guard-options.js';

/** A guard that `for` has made. */
interface MadeGuard<G> {
  readonly base: Type;
  readonly guarded: Guarded;
  readonly guard: Type<G>;
}

/** The guards made by `for`: Nest knows a guard by its class, so the same tables get the same one. */
export class MadeGuards<G> {
  readonly #made: MadeGuard<G>[] = [];

  /** The guard of a base for tables; made where there is none yet, and named after them. */
  get(base: Type, guarded: Guarded, make: () => Type<G>): Type<G> {
    const made = this.#made.find((entry) => entry.base === base && isSameGuarded(entry.guarded, guarded));
    if (made) return made.guard;
    const guard = make();
    const names = [...guarded.tables.map(nameOf), ...guarded.relations];
    Object.defineProperty(guard, 'name', { value: `${base.name}(${names.join(', ')})` });
    this.#made.push({ base, guarded, guard });
    return guard;
  }

  /** What a guard was made of. */
  baseOf(guard: unknown): Type | undefined {
    return this.#made.find((entry) => entry.guard === guard)?.base;
  }

  /** All of them. */
  all(): readonly Type<G>[] {
    return this.#made.map(({ guard }) => guard);
  }
}

function nameOf(table: TableReference): string {
  return typeof table === 'string' ? table : typeof table === 'function' ? table.name : (table.table ?? 'sessions');
}
