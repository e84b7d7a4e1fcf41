import { SessionsConfigError } from '../errors/errors.js';
import { distinctSources, isSameSource, type ResolvedSource } from '../http/credentials.js';
import type { SessionsRegistry, TableReference } from '../registry/sessions.registry.js';
import type { ServedTable } from '../service/authenticate-at-once.js';
import { takesCookie, type TableWithCookie } from './cookie.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { relationUnknown } from './messages.js';

/** A place of a request, and the tables behind it. */
export interface GuardedPlace {
  /** The tables whose tokens may be there, in the order in which they are tried. */
  readonly tables: readonly ServedTable[];
  /** The table whose cookie it is, if it is a cookie. */
  readonly cookieTable: TableWithCookie | undefined;
}

const NOWHERE: GuardedPlace = { tables: [], cookieTable: undefined };

/** The tables of a guard, by the places of their tokens. */
export class GuardedTables {
  /** The places where a token may be, each once. */
  readonly sources: readonly ResolvedSource[];
  /** Keyed by these very source objects. */
  readonly places: ReadonlyMap<ResolvedSource, GuardedPlace>;

  /** @throws SessionsConfigError for a relation that no table has */
  constructor(
    readonly all: readonly [SessionsStore, ...SessionsStore[]],
    registry: SessionsRegistry,
    relations: readonly string[] = [],
  ) {
    const unknown = relations.filter((name) => !all.some(({ columns }) => columns.relations.has(name)));
    const names = all.map(({ name }) => name);
    if (unknown.length > 0) throw new SessionsConfigError(unknown.map((name) => relationUnknown(name, names)));
    const relationsIn = ({ columns }: SessionsStore): readonly string[] | undefined => {
      const own = relations.filter((name) => columns.relations.has(name));
      return own.length > 0 ? own : undefined;
    };
    const isAt = (source: ResolvedSource, { options }: SessionsStore): boolean =>
      options.credentials.some((own) => isSameSource(own, source));
    this.sources = distinctSources(all);
    this.places = new Map(
      this.sources.map((source) => [
        source,
        {
          tables: all
            .filter((store) => isAt(source, store))
            .map((store) => ({ store, service: registry.service(store), relations: relationsIn(store) })),
          cookieTable: all
            .filter(takesCookie)
            .find(({ options }) => isSameSource(source, { cookie: options.cookie.name })),
        },
      ]),
    );
  }

  /** The place of a source that equals one of these; one without tables if a subclass has found a token elsewhere. */
  placeLike(source: ResolvedSource): GuardedPlace {
    for (const [own, place] of this.places) if (isSameSource(own, source)) return place;
    return NOWHERE;
  }
}

/** The tables that a guard names; by default the default table. */
export function guardedTables(
  [first, ...others]: readonly TableReference[],
  registry: SessionsRegistry,
  relations: readonly string[],
): GuardedTables {
  const stores = [registry.store(first), ...others.map((table) => registry.store(table))] as const;
  return new GuardedTables(stores, registry, relations);
}
