import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { SessionEvent, EctoAdapter } from '@app/sessions';
import { In } from 'typeorm';
import { STORAGE } from '../database/database.module.js';
import { type Session, Sessions } from '../sessions/sessions.js';
import { Activity } from './activity.entity.js';

type Entry = Pick<Activity, 'userId' | 'sessionId' | 'type' | 'reason' | 'at'>;

/** The most entries of one user. New ones replace the oldest. */
const KEPT = 50;

/**
 * The events of each user's sessions. They are written in the background: if an entry cannot be written, it is dropped, and
 * the request still succeeds.
 */
@Injectable()
export class ActivityLog implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('ActivityLog');
  #written: Promise<void> = Promise.resolve();

  constructor(
    private readonly sessions: Sessions,
    @Inject(STORAGE) private readonly storage: EctoAdapter,
  ) {}

  onModuleInit(): void {
    this.sessions.events.subscribe((event) => {
      const entry = entryOf(event);
      if (entry) this.#written = this.#written.then(() => this.#write(entry));
    });
  }

  /** Runs after the last events, and before TypeORM closes the data source. */
  async onApplicationShutdown(): Promise<void> {
    await this.#written;
  }

  /** The entries of a user, newest first, including those that this process has not written yet. */
  async list(userId: string): Promise<Activity[]> {
    await this.#written;
    return this.#kept(userId);
  }

  async #write(entry: Entry): Promise<void> {
    try {
      const kept = await this.#kept(entry.userId);
      if (entry.type === 'refused' && kept.some((other) => isSame(other, entry))) return;
      await this.storage.insert(Activity, { id: this.storage.autogenerate('binaryId'), ...entry });
      const surplus = kept.slice(KEPT - 1).map(({ id }) => id);
      if (surplus.length > 0)
        await this.storage.execute(this.storage.prepare('deleteAll', Activity, { where: { id: In(surplus) } }));
    } catch (error) {
      this.#logger.error(`"${entry.type}" of session ${entry.sessionId} cannot be written: ${String(error)}`);
    }
  }

  async #kept(userId: string): Promise<Activity[]> {
    const { rows } = await this.storage.execute(
      this.storage.prepare('all', Activity, { where: { userId }, order: { id: 'DESC' } }),
    );
    return rows as unknown[] as Activity[];
  }
}

/** Uses would bury everything else, and events without a session have no owner. */
function entryOf(event: SessionEvent<Session>): Entry | undefined {
  const session = 'session' in event ? event.session : undefined;
  if (event.type === 'used' || !session) return undefined;
  const { type, at } = event;
  return { userId: session.userId, sessionId: session.id, type, reason: 'reason' in event ? event.reason : null, at };
}

/** A client that repeats the same bad token must not push out other entries. */
function isSame(a: Entry, b: Entry): boolean {
  return a.sessionId === b.sessionId && a.type === b.type && a.reason === b.reason;
}
