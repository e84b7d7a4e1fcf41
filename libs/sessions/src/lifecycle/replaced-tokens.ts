import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { BaseSession } from '../session/session.js';
import { validFrom } from './read-session.js';
import { revoke } from './revoke.js';
import type { TableContext } from './table-context.js';
import type { TokenLookup } from './token-lookup.js';

/** Marks a session that was found by a token that has been replaced; a copy of it has the mark too. */
const BY_REPLACED_TOKEN = Symbol('nest-sessions:by-replaced-token');

/** Whether a session was found by a token that another request had replaced. */
export function foundByReplacedToken(session: object): boolean {
  return BY_REPLACED_TOKEN in session;
}

/** A session as it is now, found by the same token as the copy from before. */
export function foundAs(before: object, session: BaseSession): BaseSession {
  return foundByReplacedToken(before) ? marked(session) : session;
}

function marked(session: BaseSession): BaseSession & { readonly [BY_REPLACED_TOKEN]: true } {
  return { ...session, [BY_REPLACED_TOKEN]: true };
}

/** A copy of a session that got a newer token than the one it was found by. */
export function asFoundByNewToken(session: BaseSession): BaseSession {
  const { [BY_REPLACED_TOKEN]: _, ...rest } = session as BaseSession & { readonly [BY_REPLACED_TOKEN]?: true };
  return rest;
}

/**
 * The tokens that `rotate` has replaced. Requests that were under way may carry one for a while; later only somebody who
 * has kept it does, which a client that behaves is not.
 *
 * @see RFC 9700, 4.14.2: the same for refresh tokens
 */
export class ReplacedTokens {
  constructor(
    private readonly table: TableContext,
    private readonly lookup: TokenLookup,
  ) {}

  /**
   * The valid session whose token was replaced within the grace period; `null` where that was earlier, and then the
   * session is ended; `undefined` where no valid session had this token.
   */
  async find(
    digests: readonly string[],
    inside?: SessionsAdapter,
    relations?: readonly string[],
  ): Promise<BaseSession | null | undefined> {
    const { table } = this;
    const row = await this.lookup.find(digests, inside, relations);
    const session = validFrom(table, row?.load(table.selected.length));
    if (session === null) return undefined;
    if (table.nowMs() < table.times.latest('rotatedAt', session.rotatedAt!) + table.options.graceMs)
      return marked(session);
    await revoke(table, { id: session.id }, 'token_reuse', inside);
    table.events.emit({ type: 'refused', reason: 'token_reuse', session });
    return null;
  }
}
