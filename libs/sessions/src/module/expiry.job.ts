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
import { pruneExpired } from '../lifecycle/prune.js';
import { deletedElsewhere, deletedIn, deletedSoFar, deletionFailed, neverDeleted } from './messages.js';

const PROGRESS_EVERY_MS = 10_000;

/** The name of a table's job in the `SchedulerRegistry`; with its data source and schema, where it has its own. */
export function expiryJobName({ name: table, definition: { dataSource, schema } }: SessionsStore): string {
  const outside = dataSource === 'default' ? undefined : dataSource;
  return `nest-sessions:prune:${[outside, schema, table].filter((part) => part !== undefined).join('.')}`;
}

/** Deletes the expired rows of every table, at the start and then by the clock, on one node of a cluster at a time. */
@Injectable()
export class ExpiryJob implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('SessionsModule');
  readonly #running = new Map<SessionsStore, Promise<void>>();
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

  /** TypeORM closes the data source after this, so a run under way ends first: after its batch. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stop.abort();
    for (const store of this.registry.all()) {
      const name = expiryJobName(store);
      if (this.#scheduler?.doesExist('interval', name)) this.#scheduler.deleteInterval(name);
      if (this.#scheduler?.doesExist('cron', name)) this.#scheduler.deleteCronJob(name);
    }
    await Promise.all(this.#running.values());
  }

  /** One run, unless one of this table is under way; it never fails, since the next one will come. */
  async run(store: SessionsStore): Promise<void> {
    if (this.#stop.signal.aborted || this.#running.has(store)) return;
    const run = this.#prune(store).catch((error: unknown) => {
      this.#logger.error(deletionFailed(store.name, reasonOf(error)));
    });
    this.#running.set(store, run);
    await run;
    this.#running.delete(store);
  }

  async #prune(store: SessionsStore): Promise<void> {
    const begin = Date.now();
    let next = begin + PROGRESS_EVERY_MS;
    const progress = (count: number): void => {
      if (Date.now() < next) return;
      next = Date.now() + PROGRESS_EVERY_MS;
      const perSecond = Math.round(count / ((Date.now() - begin) / 1000));
      this.#logger.log(deletedSoFar(count, store.name, perSecond));
    };
    const deleted = await store.adapter.tryLock(expiryJobName(store), (adapter) =>
      pruneExpired(store, adapter, { progress, signal: this.#stop.signal }),
    );
    if (deleted === undefined) this.#logger.debug(deletedElsewhere(store.name));
    else if (deleted > 0) {
      const ms = Date.now() - begin;
      // What is routine is for those who look for it.
      this.#logger[ms < PROGRESS_EVERY_MS ? 'debug' : 'log'](deletedIn(deleted, store.name, ms));
    }
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
