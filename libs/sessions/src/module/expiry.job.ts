import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
import { reasonOf } from '../errors/reason-of.js';
import { SessionsRegistry } from '../registry/sessions.registry.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { ResolvedPruning } from '../options/resolved-options.js';
import type { OtherRun, PruningOutcome } from '../lifecycle/pruning-turns.js';
import {
  deletedElsewhere,
  deletedIn,
  deletedSoFar,
  deletionFailed,
  leftToAnother,
  neverDeleted,
  notEndedInTime,
  stalledFor,
  withoutLease,
} from './messages.js';
import { after } from '../util/in-time.js';
import { PruningRun } from './pruning-run.js';

const PROGRESS_EVERY_MS = 10_000;

/** After this many runs left to another node, a warning is logged. */
export const LEFT_RUNS = 10;

/**
 * The name of a table's job in the `SchedulerRegistry`. It includes the data source and the schema if the table sets
 * them.
 */
export function expiryJobName({ name: table, definition: { dataSource, schema } }: SessionsStore): string {
  const outside = dataSource === 'default' ? undefined : dataSource;
  return `nest-sessions:prune:${[outside, schema, table].filter((part) => part !== undefined).join('.')}`;
}

/** Deletes the expired rows of every table, at start and then on schedule, on one node of a cluster at a time. */
@Injectable()
export class ExpiryJob implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('SessionsModule');
  /** In milliseconds: how long a lease is held, a run may go without a batch, and the shutdown waits for one. */
  readonly times = { leaseMs: 60_000, stalledMs: 60_000, closeMs: 2500 };
  readonly #holder = `${hostname().slice(0, 128)} ${process.pid} ${randomUUID()}`;
  readonly #running = new Map<SessionsStore, { readonly run: PruningRun; readonly done: Promise<void> }>();
  /** The runs elsewhere, each with how many runs in a row were left to it. */
  readonly #left = new Map<SessionsStore, { readonly which: string; readonly runs: number }>();
  readonly #withoutLease = new Set<SessionsStore>();
  readonly #stop = new AbortController();
  #scheduler: SchedulerRegistry | undefined;

  constructor(
    @Inject(SessionsRegistry) private readonly registry: SessionsRegistry,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
  ) {}

  onApplicationBootstrap(): void {
    const tables = this.registry.all().filter((store) => store.options.pruning !== false);
    this.#scheduler = this.#findScheduler();
    if (!this.#scheduler && tables.length > 0) {
      this.#logger.warn(neverDeleted(tables.map(({ name: table }) => table)));
      return;
    }
    for (const store of tables)
      this.registry.whenOpen(store, () => this.#schedule(store, store.options.pruning as ResolvedPruning));
  }

  /**
   * TypeORM closes the data source after this hook, so end a run first: after its batch, or without it if that takes
   * too long.
   */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stop.abort();
    for (const store of this.registry.all()) {
      const name = expiryJobName(store);
      if (this.#scheduler?.doesExist('interval', name)) this.#scheduler.deleteInterval(name);
      if (this.#scheduler?.doesExist('cron', name)) this.#scheduler.deleteCronJob(name);
    }
    const { closeMs } = this.times;
    const callOff = after(closeMs, () => {
      for (const [store, { run }] of this.#running) run.giveUp(new Error(notEndedInTime(store.name, closeMs)));
    });
    await Promise.all(Array.from(this.#running.values(), ({ done }) => done));
    callOff();
  }

  /** Runs once, or waits for the run of this table that is under way. Never rejects: the next run tries again. */
  async run(store: SessionsStore): Promise<void> {
    const underWay = this.#running.get(store);
    if (underWay) return underWay.done;
    if (this.#stop.signal.aborted) return;
    const begin = Date.now();
    const { leaseMs, stalledMs } = this.times;
    const run = new PruningRun(store, () => new Error(stalledFor(stalledMs)), {
      holder: this.#holder,
      leaseMs,
      stalledMs,
      signal: this.#stop.signal,
      progress: this.#progress(store, begin),
      withoutLease: () => this.#tellOnce(store),
    });
    const done = run.outcome
      .then((outcome) => this.#tell(store, outcome, Date.now() - begin))
      .catch((error: unknown) => this.#logger.error(deletionFailed(store.name, reasonOf(error))))
      .finally(() => this.#running.delete(store));
    this.#running.set(store, { run, done });
    await done;
  }

  #progress({ name }: SessionsStore, begin: number): (deleted: number) => void {
    let next = begin + PROGRESS_EVERY_MS;
    return (count) => {
      if (Date.now() < next) return;
      next = Date.now() + PROGRESS_EVERY_MS;
      const perSecond = Math.round(count / ((Date.now() - begin) / 1000));
      this.#logger.log(deletedSoFar(count, name, perSecond));
    };
  }

  #tell(store: SessionsStore, { deleted, leftTo }: PruningOutcome, ms: number): void {
    // Routine runs are logged only for debugging.
    if (deleted > 0) this.#logger[ms < PROGRESS_EVERY_MS ? 'debug' : 'log'](deletedIn(deleted, store.name, ms));
    if (!leftTo) return;
    this.#logger.debug(deletedElsewhere(store.name));
    this.#tellOfEndless(store, leftTo);
  }

  /** Warns if so many runs were left to one run elsewhere that it may never end. */
  #tellOfEndless(store: SessionsStore, { holder, since }: OtherRun): void {
    if (holder === undefined) return;
    const which = `${holder} ${since!.toISOString()}`;
    const left = this.#left.get(store);
    const runs = left?.which === which ? left.runs + 1 : 1;
    this.#left.set(store, { which, runs });
    if (runs === LEFT_RUNS) this.#logger.warn(leftToAnother(store.name, runs, holder, since!));
  }

  #tellOnce(store: SessionsStore): void {
    if (this.#withoutLease.has(store)) return;
    this.#withoutLease.add(store);
    this.#logger.log(withoutLease(store.name));
  }

  #schedule(store: SessionsStore, { cron, intervalMs, atStart }: ResolvedPruning): void {
    if (this.#stop.signal.aborted) return;
    const name = expiryJobName(store);
    const tick = (): void => void this.run(store);
    if (cron === undefined) this.#scheduler!.addInterval(name, setInterval(tick, intervalMs));
    else this.#scheduler!.addCronJob(name, CronJob.from({ cronTime: cron, onTick: tick, start: true }));
    if (atStart) setImmediate(tick);
  }

  #findScheduler(): SchedulerRegistry | undefined {
    try {
      return this.modules.get(SchedulerRegistry, { strict: false });
    } catch {
      return undefined;
    }
  }
}
