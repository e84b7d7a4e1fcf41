import { frozenDate } from '../cache/frozen-date.js';
import type { ClientRequest } from '../http/client-address.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { BaseSession } from '../session/session.js';
import { isValid } from '../session/validity.js';
import { copyOf } from '../util/copy.js';
import { chain, type MaybePromise } from '../util/maybe-promise.js';

/** The session of what is open, as long as that is: read anew, by its id, only when it may have changed, as whoever holds it tells. */
export class FollowedSession {
  #session!: BaseSession;
  #unchangedUntil!: number;
  /** How many changes have been told, and how many of them are in the session. */
  #changes = 0;
  #seen = 0;
  #hasEnded = false;

  constructor(
    private readonly store: SessionsStore,
    session: BaseSession,
  ) {
    this.#keep(this.#copy(session));
  }

  changed(): void {
    this.#changes++;
  }

  ended(): void {
    this.#hasEnded = true;
  }

  /** A copy of the session for one more use of it, which is noted, and extends it where that is due; `null` where it has ended. */
  use(request: ClientRequest, authoritative: boolean): MaybePromise<BaseSession | null> {
    if (this.#hasEnded) return null;
    const { options, nowMs, tokens } = this.store;
    const isCurrent = this.#seen === this.#changes && !authoritative;
    // Most of them.
    if (isCurrent && nowMs() < this.#unchangedUntil) return this.#copy(tokens.usedAgain(this.#session, request));
    const isKnown = isCurrent && isValid(this.#session, options, nowMs());
    return chain(isKnown ? this.#session : this.#read(), (session) =>
      session === null ? null : chain(tokens.useAgain(session, request), (used) => used && this.#copy(used)),
    );
  }

  /** By its id: its token may have been replaced meanwhile, and count as stolen. */
  async #read(): Promise<BaseSession | null> {
    const { id } = this.#session;
    const changes = this.#changes;
    const session = await this.store.tokens.again(id);
    if (session) {
      this.#keep(session);
      this.#seen = changes;
    } else {
      this.#hasEnded = true;
      // Whatever else is open is to end too.
      this.store.held.forget([id]);
    }
    return session;
  }

  #keep(session: BaseSession): void {
    this.#session = frozen(this.store, session);
    this.#unchangedUntil = this.store.tokens.unchangedUntil(session);
  }

  /** What a handler does with its session is no other one's matter. */
  #copy(session: BaseSession): BaseSession {
    const copy: Values = { ...session };
    for (const name of changeableOf(this.store).documents)
      if (copy[name] !== undefined) copy[name] = copyOf(copy[name]);
    return copy;
  }
}

type Values = BaseSession & Record<string, unknown>;

/** The columns whose values could be changed, but for what transformers make. */
interface Changeable {
  readonly documents: readonly string[];
  readonly dates: readonly string[];
}

/** By table. */
const CHANGEABLE = new WeakMap<SessionsStore, Changeable>();

function changeableOf(store: SessionsStore): Changeable {
  let changeable = CHANGEABLE.get(store);
  if (!changeable) {
    const columns = [...store.columns.columns.values()].filter(({ transformer }) => !transformer);
    const namesOf = (wanted: string): string[] =>
      columns.filter(({ kind }) => kind === wanted).map(({ property }) => property);
    CHANGEABLE.set(store, (changeable = { documents: namesOf('json'), dates: namesOf('timestamp') }));
  }
  return changeable;
}

/** A session with dates of its own that nobody can change: its copies share them, for to make them costs more than all else. */
function frozen(store: SessionsStore, session: BaseSession): BaseSession {
  const own: Values = { ...session };
  for (const name of changeableOf(store).dates) {
    const date = own[name];
    if (date instanceof Date) own[name] = frozenDate(date.getTime());
  }
  return own;
}
