import { In, IsNull, LessThanOrEqual, Or } from 'typeorm';
import { allOf, type Row } from '../adapters/port/query.js';
import { clientAddress, type ClientRequest } from '../http/client-address.js';
import type { BaseSession } from '../session/session.js';
import { valid } from '../session/validity.js';
import { IP_LENGTH, USER_AGENT_LENGTH } from '../table/built-in-columns.js';
import type { LastUseDefinition } from '../table/definition.js';
import { durationMs } from '../util/duration.js';
import { unlocked } from './favours.js';
import { LAST_USE } from './messages.js';
import type { TableContext } from './table-context.js';

/** From where a session is used. */
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

/** Uses wait this long for others to be written together with them. */
const FLUSH_AFTER_MS = 1000;

/** Sessions of one statement. */
const BATCH = 500;

/**
 * Writes down when sessions are used, beside the requests that use them: at most once in an interval for each session, and
 * those of a second together. A use that cannot be written is given up, for the next one will come.
 */
export class LastUse {
  /** The sessions to be written, by what is written with them. */
  #pending = new Map<string, { at: Date; values: Row; ids: Set<string> }>();
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  readonly #intervalMs: number;

  constructor(
    private readonly table: TableContext,
    private readonly kept: LastUseDefinition,
  ) {
    this.#intervalMs = durationMs(kept.interval ?? '5m')!;
  }

  /** Notes the use of a session whose token has been verified. */
  record({ id, lastUsedAt }: BaseSession, use: SessionUse): void {
    const nowMs = this.table.nowMs();
    if (lastUsedAt && nowMs - lastUsedAt.getTime() < this.#intervalMs) return;
    const values = keptOf(this.kept, use);
    const key = JSON.stringify(values);
    const at = new Date(nowMs);
    const group = this.#pending.get(key) ?? { at, values, ids: new Set<string>() };
    this.#pending.set(key, group);
    group.at = at;
    group.ids.add(id);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS).unref();
  }

  /** Writes what has been noted; resolves when it is written, or given up. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const groups = [...this.#pending.values()];
    this.#pending = new Map();
    this.#flushing = this.#flushing.then(() => this.#write(groups));
    await this.#flushing;
  }

  async #write(groups: readonly { at: Date; values: Row; ids: ReadonlySet<string> }[]): Promise<void> {
    for (const { at, values, ids } of groups) {
      const all = [...ids];
      for (let start = 0; start < all.length; start += BATCH) {
        await this.#writeOrGiveUp(all.slice(start, start + BATCH), at, values);
      }
    }
  }

  /** Where a batch cannot be written, that may concern one session of it, which is found by halves. */
  async #writeOrGiveUp(ids: readonly string[], at: Date, values: Row): Promise<void> {
    if (!this.table.favours.possible) return;
    try {
      await this.table.favours.inTime(LAST_USE, this.#writeBatch(ids, at, values));
    } catch (error) {
      if (this.table.favours.failed(LAST_USE, error) || ids.length === 1) return;
      await unlocked();
      const half = Math.ceil(ids.length / 2);
      await this.#writeOrGiveUp(ids.slice(0, half), at, values);
      await this.#writeOrGiveUp(ids.slice(half), at, values);
    }
  }

  /**
   * One statement, which leaves alone what has ended, is gone, is locked by others, or was written by another node within the
   * interval.
   */
  async #writeBatch(ids: readonly string[], at: Date, values: Row): Promise<void> {
    const { adapter, entity, cache } = this.table;
    const before = new Date(at.getTime() - this.#intervalMs);
    const statement = adapter.prepare('updateAll', entity, {
      set: { ...values, lastUsedAt: at },
      where: allOf({ id: In(ids), lastUsedAt: Or(IsNull(), LessThanOrEqual(before)) }, valid(this.table, at)),
      skipLocked: true,
    });
    await adapter.execute(statement);
    cache?.forgetHere(ids);
  }
}

/** What a client says of itself, as a column can hold it. */
function textOf(text: string | undefined, length: number): string | null {
  return text === undefined ? null : text.replaceAll('\0', '').slice(0, length).toWellFormed();
}
