import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { BaseSession } from '../session/session.js';
import type { SessionsStore } from './sessions-store.js';
import type { TokenLookUps } from './token-lookup.js';

/** Marks a session that was found by a token that has been replaced; a copy of it has the mark too. */
const SUPERSEDED = Symbol('nest-sessions:superseded');

/** Whether a session was found by a token that another request had replaced. */
export function isSuperseded(session: object): boolean {
  return SUPERSEDED in session;
}

/** A session as it is now, found by the same token as the copy from before. */
export function foundAs(before: object, session: BaseSession): BaseSession {
  return isSuperseded(before) ? marked(session) : session;
}

function marked(session: BaseSession): BaseSession & { readonly [SUPERSEDED]: true } {
  return { ...session, [SUPERSEDED]: true };
}

/** A copy of a session that got a newer token than the one it was found by. */
export function unsuperseded(session: BaseSession): BaseSession {
  const { [SUPERSEDED]: _, ...rest } = session as BaseSession & { readonly [SUPERSEDED]?: true };
  return rest;
}

/**
 * The tokens that `rotate` has replaced. Requests that were under way may carry one for a while; later only somebody who
 * has kept it does, which a client that behaves is not.
 *
 * @see RFC 9700, 4.14.2: the same for refresh tokens
 */
export class SupersededTokens {
  constructor(
    private readonly store: SessionsStore,
    private readonly lookUps: TokenLookUps,
  ) {}

  /**
   * The valid session whose token was replaced within the grace period; `null` where that was earlier, and then the
   * session is ended; `undefined` where no valid session had this token.
   */
  async find(digests: readonly string[], inside?: SessionsAdapter): Promise<BaseSession | null | undefined> {
    const session = this.store.validFrom((await this.lookUps.find(digests, inside))?.load());
    if (session === null) return undefined;
    const { now, options, events } = this.store;
    if (now().getTime() < session.rotatedAt!.getTime() + options.graceMs) return marked(session);
    await this.store.revoke([{ id: session.id }], 'token_reuse', inside);
    events.tell({ type: 'refused', reason: 'token_reuse', session });
    return null;
  }
}
