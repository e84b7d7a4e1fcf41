import { channel } from 'node:diagnostics_channel';
import { type Observable, Subject } from 'rxjs';
import type { SessionEvent, SessionEventType } from './session-event.js';

/** An event without what every event has. */
export type EmittedEvent = SessionEvent extends infer E
  ? E extends SessionEvent
    ? Omit<E, 'table' | 'at'>
    : never
  : never;

export type Refused = Extract<EmittedEvent, { type: 'refused' }>;

const TYPES: readonly SessionEventType[] = [
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

/** The channels of `node:diagnostics_channel`, `nest-sessions:created` and so on, for tools beside the application. */
const CHANNELS = new Map(TYPES.map((type) => [type, channel(`nest-sessions:${type}`)]));

/**
 * What happens to the sessions of all tables, to be injected. The same events go to the channels
 * `nest-sessions:<type>` of `node:diagnostics_channel`.
 *
 * @example
 * ```ts
 * events.all.subscribe((event) => console.log(event.type, event.table));
 * ```
 */
export class SessionEvents {
  readonly #subject = new Subject<SessionEvent>();
  readonly #tables: TableEvents[] = [];

  /** The events of all tables, as they happen; it completes when the application shuts down. */
  readonly all: Observable<SessionEvent> = this.#subject.asObservable();

  /** Gives the events of one table, whose times are by this clock. */
  of(table: string, now: () => Date): TableEvents {
    const events = new TableEvents(table, now, this.#subject);
    this.#tables.push(events);
    return events;
  }

  /** Completes all observables, as the shutdown of the application does. */
  complete(): void {
    for (const table of this.#tables) table.complete();
    this.#subject.complete();
  }
}

/** The events of one table, for those who listen to it, to all tables, or to a channel. */
export class TableEvents {
  readonly #subject = new Subject<SessionEvent>();
  readonly all: Observable<SessionEvent> = this.#subject.asObservable();

  constructor(
    private readonly table: string,
    private readonly now: () => Date,
    private readonly everywhere: Subject<SessionEvent>,
  ) {}

  /** Whether anybody listens: what only an event needs is not looked up for nobody. */
  wants(type: SessionEventType): boolean {
    return this.#subject.observed || this.everywhere.observed || CHANNELS.get(type)!.hasSubscribers;
  }

  emit(emitted: EmittedEvent): void {
    if (!this.wants(emitted.type)) return;
    const event = { ...emitted, table: this.table, at: this.now() } as SessionEvent;
    CHANNELS.get(event.type)!.publish(event);
    this.#subject.next(event);
    this.everywhere.next(event);
  }

  complete(): void {
    this.#subject.complete();
  }
}
