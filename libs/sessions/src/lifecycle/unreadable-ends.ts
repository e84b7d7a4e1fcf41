import { Throttle } from '../util/throttle.js';
import { isUnreadable } from '../util/times.js';
import type { BaseSession } from '../session/session.js';
import { endUnreadable } from './messages.js';

/** How long the log of a table is silent after reporting such sessions. */
const TELL_EVERY_MS = 60_000;

/** Sessions that are over because the time that decides is invalid, such as `0000-00-00`, or null where one is required. */
export class UnreadableEnds {
  readonly #telling: Throttle;

  /** @param begins whether the table has an absolute timeout, so that the start of a session matters */
  constructor(
    private readonly begins: boolean,
    nowMs: () => number,
    private readonly warn: (problem: string) => void,
  ) {
    this.#telling = new Throttle(TELL_EVERY_MS, nowMs);
  }

  /** Checks a session that is over, for whatever reason. */
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
