import { IsNull, LessThanOrEqual, Or } from 'typeorm';
import { param } from '../adapters/port/operators.js';
import { allOf, type ExecutedEach, type Row } from '../adapters/port/query.js';
import { clientAddress, type ClientRequest } from '../http/client-address.js';
import type { BaseSession } from '../session/session.js';
import { valid } from '../session/validity.js';
import { IP_LENGTH, USER_AGENT_LENGTH } from '../table/built-in-columns.js';
import type { LastUseDefinition } from '../table/definition.js';
import { durationMs } from '../util/duration.js';
import { inTime } from '../util/in-time.js';
import { unlocked, waits } from './favours.js';
import { LAST_USE, LEFT_AT_CLOSE, tooMany } from './messages.js';
import type { TableContext } from './table-context.js';

/** Where a session is used. */
export interface SessionUse {
  /** The address of the client. */
  readonly ip?: string | undefined;
  /** The client's `User-Agent`. */
  readonly userAgent?: string | undefined;
}

export const SESSION_USE = { ip: true, userAgent: true } satisfies Record<keyof SessionUse, true>;

/** The client of a request. */
export function useOf({ ip, headers }: ClientRequest): SessionUse {
  return { ip, userAgent: headers['user-agent']?.toString() };
}

/** What a table keeps of a use, besides its time. */
export function keptOf(kept: LastUseDefinition, { ip, userAgent }: SessionUse): Row {
  const row: Row = {};
  if (kept.ip) row['lastUsedIp'] = textOf(ip && clientAddress(ip), IP_LENGTH);
  if (kept.userAgent) row['lastUsedUserAgent'] = textOf(userAgent, USER_AGENT_LENGTH);
  return row;
}

/** The most sessions in one statement. */
const BATCH = 500;

/**
 * The most waiting uses: some ten megabytes with address and agent, or two seconds of 10,000 sessions. If the database
 * is slow for long, the oldest ones are lost.
 */
export const MOST_PENDING = 20_000;

/**
 * The most failing statements of a flush: more than bisection needs to find a few bad sessions. Beyond that, the table
 * is to blame.
 */
const MOST_FAILURES = 64;

/** How long shutdown waits for a flush. */
const CLOSE_WITHIN_MS = 2000;

/** A use that waits to be written: the parameters of its row. */
interface PendingUse extends Row {
  readonly id: string;
  readonly at: Date;
  /** A use written after this time is recent enough. */
  readonly before: Date;
}

/**
 * Records uses of sessions in the background: the latest use of each session, at most once in an interval, up to 500
 * sessions with one statement. Locked rows wait for the next flush; so do all if the database takes no writes. A use
 * that cannot be written is dropped, since another one will come.
 */
export class LastUse {
  /** By session, oldest first. */
  readonly #pending = new Map<string, PendingUse>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #failures = 0;
  #isClosed = false;
  /** Whether the rest is given up; the adapter breaks off the statement under way, as any other. */
  #isOver = false;
  readonly #intervalMs: number;

  constructor(
    private readonly table: TableContext,
    private readonly kept: LastUseDefinition,
  ) {
    this.#intervalMs = durationMs(kept.interval ?? '5m')!;
    table.meter.gauge('lastUsesPending', () => this.#pending.size);
  }

  /** Records the use of a session whose token is verified, unless a recent one is known. */
  record({ id, lastUsedAt }: BaseSession, use: SessionUse): boolean {
    const nowMs = this.table.nowMs();
    if (this.#isClosed || (lastUsedAt && nowMs - lastUsedAt.getTime() < this.#intervalMs)) return false;
    this.#pending.delete(id);
    this.#note({ id, at: new Date(nowMs), before: new Date(nowMs - this.#intervalMs), ...keptOf(this.kept, use) });
    return true;
  }

  /** Writes the recorded uses. Resolves when each is written, dropped, or left for the next flush. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flushing.then(() => this.#write());
    await this.#flushing;
  }

  /** Writes the recorded uses within two seconds, and drops the rest. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await inTime(this.flush(), () => undefined, CLOSE_WITHIN_MS);
    this.#isOver = true;
    const left = [...this.#pending.values()];
    this.#pending.clear();
    this.#leave(left);
  }

  #note(use: PendingUse): void {
    this.#pending.set(use.id, use);
    if (this.#pending.size > MOST_PENDING) {
      const [oldest] = this.#pending.keys();
      this.#pending.delete(oldest!);
      this.#drop(1, tooMany(MOST_PENDING));
    }
    // Collects others to write together.
    this.#timer ??= setTimeout(() => void this.flush(), waits.lastUseMs).unref();
  }

  /** Leaves uses for the next flush, except of sessions that have been used again. */
  #leave(uses: readonly PendingUse[]): void {
    if (this.#isClosed && uses.length > 0) this.#drop(uses.length, LEFT_AT_CLOSE);
    else for (const use of uses) if (!this.#pending.has(use.id)) this.#note(use);
  }

  #drop(count: number, reason: string): void {
    this.table.meter.counters.lastUsesDropped.add(count);
    this.table.favours.tell(LAST_USE, reason);
  }

  async #write(): Promise<void> {
    this.#failures = 0;
    // Everybody locks rows in the same order.
    const ids = [...this.#pending.keys()].sort();
    for (let start = 0; start < ids.length; start += BATCH) {
      const uses = ids.slice(start, start + BATCH).flatMap((id) => this.#pending.get(id) ?? []);
      for (const { id } of uses) this.#pending.delete(id);
      await this.#writeAll(uses);
    }
  }

  /** If a statement fails because of one session, that one is found by bisection. */
  async #writeAll(uses: readonly PendingUse[]): Promise<void> {
    const { favours } = this.table;
    if (this.#isOver || !favours.possible) return this.#leave(uses);
    try {
      const executed = await favours.inTime(LAST_USE, this.#writeBatch(uses));
      this.#leave(executed ? executed.held.map((place) => uses[place]!) : uses);
    } catch (error) {
      if (this.#isOver || favours.failed(LAST_USE, error)) return this.#leave(uses);
      if (uses.length === 1 || ++this.#failures > MOST_FAILURES) {
        this.table.meter.counters.lastUsesDropped.add(uses.length);
        return;
      }
      await unlocked();
      const half = Math.ceil(uses.length / 2);
      await this.#writeAll(uses.slice(0, half));
      await this.#writeAll(uses.slice(half));
    }
  }

  /**
   * One statement. It skips sessions that have ended or are gone, and uses that another node wrote within the interval.
   */
  async #writeBatch(uses: readonly PendingUse[]): Promise<ExecutedEach> {
    const { adapter, entity, cache, meter, now } = this.table;
    const others = Object.keys(keptOf(this.kept, {})).map((name) => [name, param(name)] as const);
    const statement = adapter.prepare('updateAll', entity, {
      set: { ...Object.fromEntries(others), lastUsedAt: param('at') },
      where: allOf(
        { id: param('id'), lastUsedAt: Or(IsNull(), LessThanOrEqual(param('before'))) },
        valid(this.table, now()),
      ),
      skipLocked: true,
    });
    const executed = await adapter.executeEach(statement, uses);
    meter.counters.lastUsesWritten.add(executed.count);
    cache?.forgetHere(uses.map(({ id }) => id));
    return executed;
  }
}

/** The client's text in a form that a column can hold. */
function textOf(text: string | undefined, length: number): string | null {
  return text === undefined ? null : text.replaceAll('\0', '').slice(0, length).toWellFormed();
}
