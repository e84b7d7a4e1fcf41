import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { takesCookie, type TableWithCookie } from './cookie.js';
import { distinctSources, isSameSource, type ResolvedSource } from '../http/credentials.js';

/** A place of a request, and the tables whose tokens may be there. */
interface Origin {
  readonly source: ResolvedSource;
  /** In the order in which they are tried. */
  readonly tables: readonly SessionsStore[];
  /** The one whose cookie it is, if it is one. */
  readonly cookieTable: TableWithCookie | undefined;
}

/** The tables of a guard, by where the tokens of each may be. */
export class GuardedTables {
  /** Where a token may be, each place once. */
  readonly sources: readonly ResolvedSource[];
  readonly #origins: readonly Origin[];

  constructor(readonly all: readonly [SessionsStore, ...SessionsStore[]]) {
    this.sources = distinctSources(all);
    this.#origins = this.sources.map((source) => ({
      source,
      tables: all.filter(({ options }) => options.credentials.some((own) => isSameSource(own, source))),
      cookieTable: all.filter(takesCookie).find(({ options }) => isSameSource(source, { cookie: options.cookie.name })),
    }));
  }

  /** The place that a token is from; one of no table where a subclass of the guard has found it elsewhere. */
  origin(source: ResolvedSource): Origin {
    for (const origin of this.#origins) if (isSameSource(origin.source, source)) return origin;
    return { source, tables: [], cookieTable: undefined };
  }
}
