import type { SessionUse } from '../lifecycle/last-use.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { BaseSession } from '../session/session.js';
import { isValid } from '../session/validity.js';
import { copyOf } from '../util/copy.js';
import { chain, type MaybePromise } from '../util/maybe-promise.js';

/** The session of what is open, as long as that is: read anew, by its id, only when it may have changed, as whoever holds it tells. */
export class FollowedSession {
  #session: BaseSession;
  /** How many changes have been told, and how many of them are in the session. */
  #changes = 0;
  #seen = 0;
  #hasEnded = false;

  constructor(
    private readonly store: SessionsStore,
    session: BaseSession,
  ) {
    this.#session = this.#copy(session);
  }

  changed(): void {
    this.#changes++;
  }

  ended(): void {
    this.#hasEnded = true;
  }

  /** A copy of the session for one more use of it, which is noted, and extends it where that is due; `null` where it has ended. */
  use(use: () => SessionUse, authoritative: boolean): MaybePromise<BaseSession | null> {
    if (this.#hasEnded) return null;
    const { options, nowMs, tokens } = this.store;
    const isCurrent = this.#seen === this.#changes && isValid(this.#session, options, nowMs());
    return chain(isCurrent && !authoritative ? this.#session : this.#read(), (session) =>
      session === null ? null : chain(tokens.useAgain(session, use), (used) => used && this.#copy(used)),
    );
  }

  /** By its id: its token may have been replaced meanwhile, and count as stolen. */
  async #read(): Promise<BaseSession | null> {
    const { id } = this.#session;
    const changes = this.#changes;
    const session = await this.store.tokens.again(id);
    if (session) {
      this.#session = session;
      this.#seen = changes;
    } else {
      this.#hasEnded = true;
      // Whatever else is open is to end too.
      this.store.held.forget([id]);
    }
    return session;
  }

  /** What a handler does with its session is no other one's matter. */
  #copy(session: BaseSession): BaseSession {
    const copy: BaseSession & Record<string, unknown> = { ...session };
    for (const name of copiedOf(this.store)) if (copy[name] !== undefined) copy[name] = copyOf(copy[name]);
    return copy;
  }
}

/** By table, the columns whose values could be changed. */
const COPIED = new WeakMap<SessionsStore, readonly string[]>();

/** Those whose values could be changed, but for what transformers make. */
function copiedOf(store: SessionsStore): readonly string[] {
  let names = COPIED.get(store);
  if (!names) {
    const columns = [...store.columns.columns.values()];
    names = columns
      .filter(({ kind, transformer }) => !transformer && (kind === 'json' || kind === 'timestamp'))
      .map(({ property }) => property);
    COPIED.set(store, names);
  }
  return names;
}
