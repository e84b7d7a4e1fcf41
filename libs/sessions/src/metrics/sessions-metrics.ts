import { type TableMetrics, TableMeter } from './table-metrics.js';

/**
 * The numbers of all tables in this process, to inject. Each counter also goes to a channel of `node:diagnostics_channel`,
 * `nest-sessions:metrics:cacheHits` and so on, as `{ table, by }`, for tools beside the application.
 *
 * @example
 * ```ts
 * for (const { table, counters, gauges } of metrics.all()) console.log(table, counters.cacheHits, gauges.lookUpsInFlight);
 * ```
 */
export class SessionsMetrics {
  readonly #meters: TableMeter[] = [];

  /** The current numbers of each table, in the order in which the tables were registered. */
  all(): TableMetrics[] {
    return this.#meters.map((meter) => meter.read());
  }

  /** Creates the meter of one table. */
  of(table: string): TableMeter {
    const meter = new TableMeter(table);
    this.#meters.push(meter);
    return meter;
  }
}
