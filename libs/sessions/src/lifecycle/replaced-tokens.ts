import type { RawRow } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Refused } from '../events/session-events.js';
import type { BaseSession } from '../session/session.js';
import { judge, refusalOf } from './read-session.js';
import { revoke } from './revoke.js';
import type { TableContext } from './table-context.js';
import type { TokenLookup } from './token-lookup.js';

/** Marks a session that was found by a replaced token. A copy of it keeps the mark. */
const BY_REPLACED_TOKEN = Symbol('nest-sessions:by-replaced-token');

/** Whether a session was found by a token that another request had replaced. */
export function foundByReplacedToken(session: object): boolean {
  return BY_REPLACED_TOKEN in session;
}

/** The current session, marked like its earlier copy. */
export function foundAs(before: object, session: BaseSession): BaseSession {
  return foundByReplacedToken(before) ? marked(session) : session;
}

function marked(session: BaseSession): BaseSession & { readonly [BY_REPLACED_TOKEN]: true } {
  return { ...session, [BY_REPLACED_TOKEN]: true };
}

/** A copy of a session without the mark, because it now has a newer token. */
export function asFoundByNewToken(session: BaseSession): BaseSession {
  const { [BY_REPLACED_TOKEN]: _, ...rest } = session as BaseSession & { readonly [BY_REPLACED_TOKEN]?: true };
  return rest;
}

/** The result for a replaced token. */
interface ReplacedToken {
  readonly valid?: BaseSession;
  readonly refused?: Refused;
  readonly row: RawRow;
}

/**
 * The tokens that `rotate` has replaced. Requests under way may carry one for a while. Later, only somebody who kept it
 * does, and no well-behaved client keeps one.
 *
 * @see RFC 9700, 4.14.2: the same for refresh tokens
 */
export class ReplacedTokens {
  constructor(
    private readonly table: TableContext,
    private readonly lookup: TokenLookup,
  ) {}

  /** The session that had this token. If the token was replaced before the grace period, the session is ended. */
  async find(
    digests: readonly string[],
    inside?: SessionsAdapter,
    relations?: readonly string[],
  ): Promise<ReplacedToken | undefined> {
    const { table } = this;
    const row = await this.lookup.find(digests, inside, relations);
    if (!row) return undefined;
    const { session, isValid } = judge(table, row.load(table.selected.length));
    if (!isValid) return { refused: refusalOf(session), row };
    if (table.nowMs() < table.times.latest('rotatedAt', session.rotatedAt!) + table.options.graceMs)
      return { valid: marked(session), row };
    await revoke(table, { id: session.id }, 'token_reuse', inside);
    return { refused: { type: 'refused', reason: 'token_reuse', session }, row };
  }
}
