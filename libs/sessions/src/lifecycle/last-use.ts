import { IsNull, LessThanOrEqual, Or } from 'typeorm';
import { param } from '../adapters/port/operators.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
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

/** From where a request comes. */
export function useOf({ ip, headers }: ClientRequest): SessionUse {
  return { ip, userAgent: headers['user-agent']?.toString() };
}

/** What a table keeps of a use, beside its time. */
export function keptOf(kept: LastUseDefinition, { ip, userAgent }: SessionUse): Row {
  return {
    ...(kept.ip && { lastUsedIp: textOf(ip && clientAddress(ip), IP_LENGTH) }),
    ...(kept.userAgent && { lastUsedUserAgent: textOf(userAgent, USER_AGENT_LENGTH) }),
  };
}

/** Sessions of one statement. */
const BATCH = 500;

/**
 * Uses that wait at most: with address and agent some ten megabytes, and two seconds of 10,000 sessions, so that a database which
 * is slow for long costs no more than what was noted first.
 */
export const MOST_PENDING = 20_000;

/** Statements of a flush that may fail: more than it takes to find a few sessions by halves, so that more are the table's fault. */
const MOST_FAILURES = 64;

/** How long the application waits as it stops. */
const CLOSE_WITHIN_MS = 2000;

/** A use that waits to be written: the parameters of its row. */
interface PendingUse extends Row {
  readonly id: string;
  readonly at: Date;
  /** A use that was written later than this is recent enough. */
  readonly before: Date;
}

/**
 * Writes down when sessions are used, beside the requests that use them: at most once in an interval for each session, its
 * latest use, and up to 500 sessions by one statement. Rows that others have locked wait for the next time, and so do all where
 * the database takes no writes. A use that cannot be written is given up, for the next one will come.
 */
export class LastUse {
  /** By session; those noted first come first. */
  readonly #pending = new Map<string, PendingUse>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #failures = 0;
  #isClosed = false;
  /** Breaks off what waits for a lock as the application stops: a pool does not end before its connections are given back. */
  readonly #broken = new AbortController();
  readonly #intervalMs: number;

  constructor(
    private readonly table: TableContext,
    private readonly kept: LastUseDefinition,
  ) {
    this.#intervalMs = durationMs(kept.interval ?? '5m')!;
    table.meter.gauge('lastUsesPending', () => this.#pending.size);
  }

  /** Notes the use of a session whose token has been verified, unless a recent one is known. */
  record({ id, lastUsedAt }: BaseSession, use: SessionUse): boolean {
    const nowMs = this.table.nowMs();
    if (this.#isClosed || (lastUsedAt && nowMs - lastUsedAt.getTime() < this.#intervalMs)) return false;
    this.#pending.delete(id);
    this.#note({ id, at: new Date(nowMs), before: new Date(nowMs - this.#intervalMs), ...keptOf(this.kept, use) });
    return true;
  }

  /** Writes what has been noted; resolves when it is written, given up, or left for the next time. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flushing.then(() => this.#write());
    await this.#flushing;
  }

  /** Writes what has been noted within two seconds, and gives up the rest. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await inTime(this.flush(), () => undefined, CLOSE_WITHIN_MS);
    this.#broken.abort();
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
    // For others to be written together with it.
    this.#timer ??= setTimeout(() => void this.flush(), waits.lastUseMs).unref();
  }

  /** Leaves uses for the next time, but of sessions that have been used again. */
  #leave(uses: readonly PendingUse[]): void {
    if (this.#isClosed && uses.length > 0) this.#drop(uses.length, LEFT_AT_CLOSE);
    else for (const use of uses) if (!this.#pending.has(use.id)) this.#note(use);
  }

  #drop(count: number, reason: string): void {
    this.table.meter.count('lastUsesDropped', count);
    this.table.favours.tell(LAST_USE, reason);
  }

  async #write(): Promise<void> {
    this.#failures = 0;
    // Rows are locked in one order by all.
    const ids = [...this.#pending.keys()].sort();
    for (let start = 0; start < ids.length; start += BATCH) {
      const uses = ids.slice(start, start + BATCH).flatMap((id) => this.#pending.get(id) ?? []);
      for (const { id } of uses) this.#pending.delete(id);
      await this.#writeAll(uses);
    }
  }

  /** Where a statement fails, that may concern one session of it, which is found by halves. */
  async #writeAll(uses: readonly PendingUse[]): Promise<void> {
    const { favours } = this.table;
    const { signal } = this.#broken;
    if (signal.aborted || !favours.possible) return this.#leave(uses);
    try {
      const executed = await favours.inTime(LAST_USE, this.#writeBatch(uses));
      this.#leave(executed ? executed.held.map((place) => uses[place]!) : uses);
    } catch (error) {
      if (signal.aborted || favours.failed(LAST_USE, error)) return this.#leave(uses);
      if (uses.length === 1 || ++this.#failures > MOST_FAILURES) {
        this.table.meter.count('lastUsesDropped', uses.length);
        return;
      }
      await unlocked();
      const half = Math.ceil(uses.length / 2);
      await this.#writeAll(uses.slice(0, half));
      await this.#writeAll(uses.slice(half));
    }
  }

  /** One statement, which leaves alone what has ended, is gone, or was written by another node within the interval. */
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
    const write = (on: SessionsAdapter): Promise<ExecutedEach> => on.executeEach(statement, uses);
    const executed = await (adapter.breakable?.(this.#broken.signal, write) ?? write(adapter));
    meter.count('lastUsesWritten', executed.count);
    cache?.forgetHere(uses.map(({ id }) => id));
    return executed;
  }
}

/** What a client says of itself, as a column can hold it. */
function textOf(text: string | undefined, length: number): string | null {
  return text === undefined ? null : text.replaceAll('\0', '').slice(0, length).toWellFormed();
}
