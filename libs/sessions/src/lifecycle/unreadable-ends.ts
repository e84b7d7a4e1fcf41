import { Throttle } from '../util/throttle.js';
import { isUnreadable } from '../util/times.js';
import type { BaseSession } from '../session/session.js';
import { endUnreadable } from './messages.js';

/** How often the log says of a table that it has such sessions. */
const TELL_EVERY_MS = 60_000;

/** Sessions that are over since the time that would say so is none, such as `0000-00-00`, or null where it has to be one. */
export class UnreadableEnds {
  readonly #telling: Throttle;

  /** @param begins whether the table has an absolute limit, so that it matters when a session began */
  constructor(
    private readonly begins: boolean,
    nowMs: () => number,
    private readonly warn: (problem: string) => void,
  ) {
    this.#telling = new Throttle(TELL_EVERY_MS, nowMs);
  }

  /** Takes note of a session that is over, for whatever reason. */
  record(session: BaseSession): void {
    const column = this.#columnOf(session);
    if (column !== undefined && this.#telling.passes()) this.warn(endUnreadable(column, session.id));
  }

  #columnOf(session: BaseSession): keyof BaseSession | undefined {
    for (const column of ENDS) if (isNone(session[column])) return column;
    const begin = session.authenticatedAt ? 'authenticatedAt' : 'createdAt';
    return this.begins && !session.absoluteExpiresAt && isNone(session[begin]) ? begin : undefined;
  }
}

const ENDS = ['expiresAt', 'revokedAt', 'absoluteExpiresAt'] as const;

function isNone(time: Date | null | undefined): boolean {
  return time ? isUnreadable(time) : false;
}
