import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { SessionEvent, EctoAdapter } from '@app/sessions';
import { MoreThanOrEqual } from 'typeorm';
import { STORAGE } from '../database/database.module.js';
import { type Session, Sessions } from '../sessions/sessions.js';
import { DailyCount } from './daily-count.entity.js';

type Counts = Pick<DailyCount, 'created' | 'pruned'>;

const DAY_MS = 86_400_000;

/**
 * Counts created and deleted sessions by day, from their events: deleted rows cannot be counted any more, and a million rows
 * not for each view. Counts that cannot be written are dropped, and no request fails.
 */
@Injectable()
export class DailyCounts implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('DailyCounts');
  readonly #unwritten = new Map<string, Counts>();
  #written: Promise<void> = Promise.resolve();

  constructor(
    private readonly sessions: Sessions,
    @Inject(STORAGE) private readonly storage: EctoAdapter,
  ) {}

  onModuleInit(): void {
    this.sessions.events.subscribe((event) => this.#note(event));
  }

  /** Runs after the last events, and before TypeORM closes the data source. */
  async onApplicationShutdown(): Promise<void> {
    await this.#written;
  }

  /** This many days up to today, oldest first, including days without events. */
  async list(days: number, now = new Date()): Promise<DailyCount[]> {
    await this.#written;
    const names = Array.from({ length: days }, (_, i) => dayOf(new Date(now.getTime() - (days - 1 - i) * DAY_MS)));
    const { rows } = await this.storage.execute(
      this.storage.prepare('all', DailyCount, { where: { day: MoreThanOrEqual(names[0]) } }),
    );
    const counts = new Map((rows as unknown[] as DailyCount[]).map((row) => [row.day, row]));
    return names.map((day) => counts.get(day) ?? { day, created: 0, pruned: 0 });
  }

  #note(event: SessionEvent<Session>): void {
    if (event.type !== 'created' && event.type !== 'pruned') return;
    const day = dayOf(event.at);
    const noted = this.#unwritten.get(day) ?? { created: 0, pruned: 0 };
    const more = event.type === 'created' ? { created: 1, pruned: 0 } : { created: 0, pruned: event.count };
    // Counts that arrive during a write are written together afterwards.
    if (this.#unwritten.size === 0) this.#written = this.#written.then(() => this.#write());
    this.#unwritten.set(day, { created: noted.created + more.created, pruned: noted.pruned + more.pruned });
  }

  async #write(): Promise<void> {
    const counts = [...this.#unwritten];
    this.#unwritten.clear();
    try {
      for (const [day, more] of counts) await this.#add(day, more);
    } catch (error) {
      this.#logger.error(`The counts of ${counts.map(([day]) => day).join(', ')} cannot be written: ${String(error)}`);
    }
  }

  /** One process at a time, since each adds to the counts of the others. */
  async #add(day: string, more: Counts): Promise<void> {
    await this.storage.withLock('demo:daily-counts', async (storage) => {
      const { rows } = await storage.execute(storage.prepare('all', DailyCount, { where: { day }, currentRows: true }));
      const [row] = rows as unknown[] as DailyCount[];
      if (row === undefined) await storage.insert(DailyCount, { day, ...more });
      else
        await storage.update(
          DailyCount,
          { created: row.created + more.created, pruned: row.pruned + more.pruned },
          { day },
        );
    });
  }
}

/** The UTC day of a time, as in a count. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
