import { channel } from 'node:diagnostics_channel';

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

/** The channels of `node:diagnostics_channel`. */
const CHANNELS = Object.fromEntries(
  Object.keys(ZERO).map((counter) => [counter, channel(`nest-sessions:metrics:${counter}`)]),
);

/** Counts for one table, and publishes each counter on its channel. */
export class TableMeter {
  readonly #counts = { ...ZERO };
  readonly #gauges = new Map<Gauge, () => number>();

  constructor(private readonly table: string) {}

  count(counter: Counter, by = 1): void {
    this.#counts[counter] += by;
    const counted = CHANNELS[counter]!;
    if (counted.hasSubscribers) counted.publish({ table: this.table, by });
  }

  /** Registers the function that reads a gauge. */
  gauge(gauge: Gauge, read: () => number): void {
    this.#gauges.set(gauge, read);
  }

  read(): TableMetrics {
    const gauges = Object.fromEntries(Array.from(this.#gauges, ([gauge, read]) => [gauge, read()]));
    return { table: this.table, counters: { ...this.#counts }, gauges: { ...NONE, ...gauges } };
  }
}
