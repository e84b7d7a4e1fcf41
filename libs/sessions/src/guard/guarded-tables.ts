import { distinctSources, isSameSource, type ResolvedSource } from '../http/credentials.js';
import type { SessionsRegistry } from '../registry/sessions.registry.js';
import type { ServedTable } from '../service/authenticate-at-once.js';
import { takesCookie, type TableWithCookie } from './cookie.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';

/** A place of a request, and what is behind it. */
export interface GuardedPlace {
  /** The tables whose tokens may be there, in the order in which they are tried. */
  readonly tables: readonly ServedTable[];
  /** The one whose cookie it is, if it is one. */
  readonly cookieTable: TableWithCookie | undefined;
}

const NOWHERE: GuardedPlace = { tables: [], cookieTable: undefined };

/** The tables of a guard, by where the tokens of each may be. */
export class GuardedTables {
  /** Where a token may be, each place once. */
  readonly sources: readonly ResolvedSource[];
  /** By those very sources. */
  readonly places: ReadonlyMap<ResolvedSource, GuardedPlace>;

  constructor(
    readonly all: readonly [SessionsStore, ...SessionsStore[]],
    registry: SessionsRegistry,
  ) {
    const isAt = (source: ResolvedSource, { options }: SessionsStore): boolean =>
      options.credentials.some((own) => isSameSource(own, source));
    this.sources = distinctSources(all);
    this.places = new Map(
      this.sources.map((source) => [
        source,
        {
          tables: all
            .filter((store) => isAt(source, store))
            .map((store) => ({ store, service: registry.service(store) })),
          cookieTable: all
            .filter(takesCookie)
            .find(({ options }) => isSameSource(source, { cookie: options.cookie.name })),
        },
      ]),
    );
  }

  /** The place that a token is from, where it was named anew; one of no table where a subclass has found it elsewhere. */
  placeAt(source: ResolvedSource): GuardedPlace {
    for (const [own, place] of this.places) if (isSameSource(own, source)) return place;
    return NOWHERE;
  }
}
