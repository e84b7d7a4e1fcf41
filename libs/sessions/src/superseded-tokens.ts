import { In } from 'typeorm';
import type { Param } from './adapters/operators.js';
import type { Prepared, Row, SessionsAdapter } from './adapters/sessions-adapter.js';
import type { BaseSession } from './session.js';
import type { SessionsStore } from './sessions.store.js';

/** Marks a session that was found by a token that has been replaced; a copy of it has the mark too. */
const SUPERSEDED = Symbol('nest-sessions:superseded');

/** Whether a session was found by a token that another request had replaced. */
export function isSuperseded(session: object): boolean {
  return SUPERSEDED in session;
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
  readonly #byPrevious: Prepared;

  constructor(
    private readonly store: SessionsStore,
    digests: readonly Param[],
  ) {
    this.#byPrevious = store.adapter.prepare('all', store.entity, {
      where: { previousTokenDigest: In([...digests]) },
      select: store.selected,
    });
  }

  /**
   * The valid session whose token was replaced within the grace period; `null` where that was earlier, and then the
   * session is ended; `undefined` where no valid session had this token.
   */
  async find(params: Row, adapter: SessionsAdapter): Promise<BaseSession | null | undefined> {
    const { rows } = await adapter.execute(this.#byPrevious, params);
    const session = this.store.validFrom(rows);
    if (session === null) return undefined;
    const { now, options, events } = this.store;
    if (now().getTime() < session.rotatedAt!.getTime() + options.graceMs) {
      const superseded: BaseSession & { readonly [SUPERSEDED]: true } = { ...session, [SUPERSEDED]: true };
      return superseded;
    }
    await this.store.revoke([{ id: session.id }], 'token_reuse', adapter);
    events.tell({ type: 'refused', reason: 'token_reuse', session });
    return null;
  }
}
