import { randomUUID } from 'node:crypto';
import type { ChannelConnection, InvalidationChannel } from './channels/invalidation-channel.js';
import { decode, encode, type Invalidation, type Message } from './channels/invalidation-message.js';
import { inTime } from '../util/in-time.js';
import { nothingHeardFor } from './messages.js';

/** The time between two messages by which a node hears itself, and thus knows that it hears the others. */
const BEAT_MS = 500;

/** How long a node that has heard itself may use its caches: longer than a garbage collection pause. */
const LEASE_MS = 2000;

/** The times between attempts to connect. */
const RETRY_MS = [50, 100, 200, 500, 1000, 2000];

/** Hears the state of the channel. */
export interface ChannelLog {
  up(): void;
  down(reason: unknown): void;
}

/** Forgets what others have changed. */
interface Cache {
  forget(ids: readonly string[]): void;
  clear(): void;
}

/** Unsent changes of a table. Until they are sent, other processes may have outdated sessions. */
interface PendingInvalidation {
  readonly ids: ReadonlySet<string> | undefined;
  readonly until: number;
}

/**
 * Announces changed sessions to the caches of all processes. A cache is used only while this process has recently heard
 * itself on the channel, because then it has heard everything sent before. After a lost connection, a silent network or
 * a frozen process, the caches stay unused until they are connected again and empty.
 */
export class Invalidations {
  readonly #node = randomUUID();
  readonly #caches = new Map<string, { readonly cache: Cache; readonly ttlMs: number }>();
  readonly #beats = new Map<number, number>();
  readonly #untold = new Map<string, PendingInvalidation>();
  #connection: ChannelConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The monotonic time at which the last message was sent that this process has heard from itself. */
  #heardAt = -Infinity;
  #connectedAt = 0;
  #beat = 0;
  #failures = 0;
  #isUp = false;
  #closing: Promise<void> | undefined;
  #firstTry: Promise<void> | undefined;

  constructor(
    private readonly channel: InvalidationChannel,
    private readonly log: ChannelLog,
  ) {}

  /** Whether caches may be read and filled. */
  get live(): boolean {
    return performance.now() - this.#heardAt < LEASE_MS;
  }

  /** @param ttlMs how long a process may keep what it has not been told about */
  add(table: string, cache: Cache, ttlMs: number): void {
    this.#caches.set(table, { cache, ttlMs });
  }

  /** Connects. Resolves once connected, or after the first failure; then it keeps trying. */
  async open(): Promise<void> {
    this.#firstTry ??= this.#connect();
    await this.#firstTry;
  }

  /** Announces changes. Resolves once the message is sent, or queued because the channel is down. */
  async tell({ table, ids }: Invalidation): Promise<void> {
    if (await this.#send({ table, ids })) return;
    const untold = this.#untold.get(table);
    const all = ids && (!untold || untold.ids) ? new Set([...(untold?.ids ?? []), ...ids]) : undefined;
    this.#untold.set(table, { ids: all, until: performance.now() + this.#caches.get(table)!.ttlMs });
  }

  /** Ends it. Resolves once the connection is closed, or cannot be closed. */
  async close(): Promise<void> {
    await (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    if (this.#firstTry) await inTime(this.#firstTry, () => undefined);
    await this.#disconnect();
  }

  async #connect(): Promise<void> {
    let connection: ChannelConnection | undefined;
    const lost: { reason?: unknown } = {};
    try {
      connection = await this.channel.connect(
        (text) => this.#hear(text),
        (reason) => {
          lost.reason = reason;
          if (connection && this.#connection === connection) this.#lose(reason);
        },
      );
      this.#connection = connection;
      if (this.#closing) return await this.#disconnect();
      if ('reason' in lost) throw lost.reason;
      this.#connectedAt = performance.now();
      this.#pulse();
    } catch (error) {
      this.#lose('reason' in lost ? lost.reason : error);
    }
  }

  /** Sends what is due, and checks that the channel still works. */
  #pulse(): void {
    this.#timer = setTimeout(() => this.#pulse(), BEAT_MS).unref();
    const now = performance.now();
    if (now - Math.max(this.#heardAt, this.#connectedAt) > 2 * LEASE_MS) {
      this.#lose(new Error(nothingHeardFor(2 * LEASE_MS)));
      return;
    }
    this.#beats.set(++this.#beat, now);
    void this.#send({ beat: this.#beat });
    void this.#tellUntold(now);
  }

  async #tellUntold(now: number): Promise<void> {
    const due = [...this.#untold];
    this.#untold.clear();
    for (const [table, { ids, until }] of due) if (now < until) await this.tell({ table, ids: ids && [...ids] });
  }

  /** Returns whether the message was sent. */
  async #send(message: Omit<Message, 'from'>): Promise<boolean> {
    const connection = this.#connection;
    if (!connection) return false;
    const sent = connection.publish(encode({ from: this.#node, ...message })).then(
      () => true,
      () => false,
    );
    return inTime(sent, () => false);
  }

  #hear(text: string): void {
    const message = decode(text);
    // Only we should write there. An unknown message may be about anything.
    if (message === undefined) this.#clear();
    else if (message.from === this.#node) this.#hearOwn(message.beat);
    else if (message.table !== undefined) this.#apply(message.table, message.ids);
  }

  /** Own changes were applied before they were sent. */
  #hearOwn(beat: number | undefined): void {
    const sentAt = beat === undefined ? undefined : this.#beats.get(beat);
    if (sentAt === undefined) return;
    for (const earlier of this.#beats.keys()) if (earlier <= beat!) this.#beats.delete(earlier);
    // Messages may have been missed since it was last heard.
    if (!this.live) this.#clear();
    this.#heardAt = sentAt;
    if (this.#isUp || !this.live) return;
    this.#failures = 0;
    this.#isUp = true;
    this.log.up();
  }

  #apply(table: string, ids: readonly string[] | undefined): void {
    const cache = this.#caches.get(table)?.cache;
    if (ids) cache?.forget(ids);
    else cache?.clear();
  }

  #lose(reason: unknown): void {
    if (this.#closing) return;
    void this.#disconnect();
    const delay = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)]!;
    if (this.#isUp || this.#failures === 0) this.log.down(reason);
    this.#failures++;
    this.#isUp = false;
    this.#timer = setTimeout(() => void this.#connect(), delay).unref();
  }

  async #disconnect(): Promise<void> {
    clearTimeout(this.#timer);
    const connection = this.#connection;
    this.#connection = undefined;
    this.#heardAt = -Infinity;
    this.#beats.clear();
    this.#clear();
    const closed = connection?.close().catch(() => undefined);
    if (closed) await inTime(closed, () => undefined);
  }

  #clear(): void {
    for (const { cache } of this.#caches.values()) cache.clear();
  }
}
