import { type Channel, channel } from 'node:diagnostics_channel';

/** The metrics of a table in this process. */
export interface TableMetrics {
  /** The name of the table. */
  readonly table: string;
  /** Counts since the start; they only grow. */
  readonly counters: {
    /** Statements that looked tokens up. */
    readonly lookUpStatements: number;
    /** Tokens that they looked up; several that arrive together share a statement. */
    readonly lookUpTokens: number;
    /** Callers that were refused because too many waited, `lookUps.maxWaiting`. */
    readonly lookUpsRefused: number;
    /** Callers that were refused because lookups failed one after the other. */
    readonly lookUpsBroken: number;
    /** Callers that got no answer within `lookUps.timeout`. */
    readonly lookUpsTimedOut: number;
    /** Tokens that the near cache knew, including those that nobody has. */
    readonly cacheHits: number;
    /** Tokens not found in the near cache. */
    readonly cacheMisses: number;
    /** Sessions whose last use was written. */
    readonly lastUsesWritten: number;
    /** Uses that were dropped: too many waited, they could not be written, or the application stopped. */
    readonly lastUsesDropped: number;
  };
  /** The current state. */
  readonly gauges: {
    /** Lookup statements under way. */
    readonly lookUpsInFlight: number;
    /** Callers waiting for their statement to be sent. */
    readonly lookUpsWaiting: number;
    /** 1 while lookups fail one after the other, so that callers are refused at once; else 0. */
    readonly breakerOpen: number;
    /** Sessions, and tokens without a session, in the near cache. */
    readonly cacheEntries: number;
    /** Uses waiting to be written. */
    readonly lastUsesPending: number;
  };
}

export type Counter = keyof TableMetrics['counters'];
export type Gauge = keyof TableMetrics['gauges'];

const ZERO: Readonly<Record<Counter, number>> = {
  lookUpStatements: 0,
  lookUpTokens: 0,
  lookUpsRefused: 0,
  lookUpsBroken: 0,
  lookUpsTimedOut: 0,
  cacheHits: 0,
  cacheMisses: 0,
  lastUsesWritten: 0,
  lastUsesDropped: 0,
};

const NONE: Readonly<Record<Gauge, number>> = {
  lookUpsInFlight: 0,
  lookUpsWaiting: 0,
  breakerOpen: 0,
  cacheEntries: 0,
  lastUsesPending: 0,
};

/** A number that only grows; each addition is published on its channel of `node:diagnostics_channel`. */
class Count {
  value = 0;
  readonly #channel: Channel;

  constructor(
    counter: Counter,
    private readonly table: string,
  ) {
    this.#channel = channel(`nest-sessions:metrics:${counter}`);
  }

  add(by = 1): void {
    this.value += by;
    if (this.#channel.hasSubscribers) this.#channel.publish({ table: this.table, by });
  }
}

/** The counters and gauges of one table. */
export class TableMeter {
  /** Objects, since finding a counter by its name costs a request more than counting. */
  readonly counters: Readonly<Record<Counter, Count>>;
  readonly #gauges = new Map<Gauge, () => number>();

  constructor(private readonly table: string) {
    const count = (counter: Counter): Count => new Count(counter, table);
    this.counters = {
      lookUpStatements: count('lookUpStatements'),
      lookUpTokens: count('lookUpTokens'),
      lookUpsRefused: count('lookUpsRefused'),
      lookUpsBroken: count('lookUpsBroken'),
      lookUpsTimedOut: count('lookUpsTimedOut'),
      cacheHits: count('cacheHits'),
      cacheMisses: count('cacheMisses'),
      lastUsesWritten: count('lastUsesWritten'),
      lastUsesDropped: count('lastUsesDropped'),
    };
  }

  /** Registers the function that reads a gauge. */
  gauge(gauge: Gauge, read: () => number): void {
    this.#gauges.set(gauge, read);
  }

  read(): TableMetrics {
    const counters = Object.fromEntries(Object.entries(this.counters).map(([counter, { value }]) => [counter, value]));
    const gauges = Object.fromEntries(Array.from(this.#gauges, ([gauge, read]) => [gauge, read()]));
    return { table: this.table, counters: { ...ZERO, ...counters }, gauges: { ...NONE, ...gauges } };
  }
}
