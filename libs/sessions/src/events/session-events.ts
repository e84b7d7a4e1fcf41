import { channel } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { reasonOf } from '../errors/reason-of.js';
import { Listeners } from './listeners.js';
import { listenerFailed, noEventType } from './messages.js';
import type { SessionEvent, SessionEventOf, SessionEventType } from './session-event.js';

/** An event without the common fields. */
export type EmittedEvent = SessionEvent extends infer E
  ? E extends SessionEvent
    ? Omit<E, 'table' | 'at'>
    : never
  : never;

export type Refused = Extract<EmittedEvent, { type: 'refused' }>;

/** All types, in the order of a session's life. */
export const TYPES: readonly SessionEventType[] = [
  'created',
  'used',
  'refreshed',
  'rotated',
  'reauthenticated',
  'expired',
  'revoked',
  'deleted',
  'pruned',
  'refused',
];

/** The channels of `node:diagnostics_channel`, `nest-sessions:created` and so on, for tools outside the application. */
const CHANNELS = new Map(TYPES.map((type) => [type, channel(`nest-sessions:${type}`)]));

/**
 * The events of the sessions of all tables, to inject. The same events go to the channels `nest-sessions:<type>` of
 * `node:diagnostics_channel`. What a listener throws is logged, once, and ends nothing.
 *
 * @example
 * ```ts
 * events.all.subscribe((event) => console.log(event.type, event.table));
 * ```
 */
export class SessionEvents {
  readonly #logger = new Logger('SessionEvents');
  readonly #listeners = this.#listenersTo('all tables');
  readonly #tables: TableEvents[] = [];

  /** The events of all tables, as they happen. Completes when the application shuts down. */
  readonly all: Observable<SessionEvent> = this.#listeners.all;

  /**
   * The events of some types; the others then cost nothing.
   *
   * @example
   * ```ts
   * events.only('revoked', 'expired').subscribe(({ table, session }) => console.log(table, session.id));
   * ```
   */
  only<T extends SessionEventType>(...types: readonly [T, ...T[]]): Observable<SessionEventOf<T>> {
    return this.#listeners.only(known(types)) as Observable<SessionEventOf<T>>;
  }

  /** The events of one table, timed by this clock. */
  of(table: string, now: () => Date): TableEvents {
    const events = new TableEvents(table, now, this.#listenersTo(`table "${table}"`), this.#listeners);
    this.#tables.push(events);
    return events;
  }

  /** Completes all observables, at shutdown. */
  complete(): void {
    for (const table of this.#tables) table.complete();
    this.#listeners.complete();
  }

  #listenersTo(what: string): Listeners {
    return new Listeners(TYPES, (error) => this.#logger.error(listenerFailed(what, reasonOf(error)), stackOf(error)));
  }
}

/** Emits the events of one table to its listeners, to those of all tables, and to the channels. */
export class TableEvents {
  constructor(
    private readonly table: string,
    private readonly now: () => Date,
    private readonly listeners: Listeners,
    private readonly everywhere: Listeners,
  ) {}

  get all(): Observable<SessionEvent> {
    return this.listeners.all;
  }

  /** The events of the given types. @throws TypeError for an unknown type */
  only(types: readonly SessionEventType[]): Observable<SessionEvent> {
    return this.listeners.only(known(types));
  }

  /** Whether anybody listens, so that nothing is looked up for an event nobody hears. */
  wants(type: SessionEventType): boolean {
    return this.listeners.want(type) || this.everywhere.want(type) || CHANNELS.get(type)!.hasSubscribers;
  }

  emit(emitted: EmittedEvent): void {
    if (!this.wants(emitted.type)) return;
    // V8 copies an object in this order 20 times faster.
    const event = { table: this.table, at: this.now(), ...emitted } as SessionEvent;
    CHANNELS.get(event.type)!.publish(event);
    this.listeners.tell(event);
    this.everywhere.tell(event);
  }

  complete(): void {
    this.listeners.complete();
  }
}

function known<T extends SessionEventType>(types: readonly T[]): readonly T[] {
  const unknown = types.filter((type) => !TYPES.includes(type));
  if (types.length > 0 && unknown.length === 0) return types;
  throw new TypeError(noEventType(unknown, TYPES));
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
