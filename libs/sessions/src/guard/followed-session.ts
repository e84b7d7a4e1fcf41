import { frozenDate } from '../cache/frozen-date.js';
import type { ClientRequest } from '../http/client-address.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { BaseSession } from '../session/session.js';
import { isValid } from '../session/validity.js';
import { copyOf } from '../util/copy.js';
import type { MaybePromise } from '../util/maybe-promise.js';

/** The session of an open connection. It is read again, by id, only after it may have changed, as its holder reports. */
export class FollowedSession {
  #session!: BaseSession;
  #unchangedUntil!: number;
  /** The number of reported changes, and how many of them the session includes. */
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

  /**
   * Returns a copy of the session for one more use, which is recorded and extends the session when due; `null` if it
   * has ended.
   */
  use(request: ClientRequest, authoritative: boolean): MaybePromise<BaseSession | null> {
    if (this.#hasEnded) return null;
    return (authoritative ? undefined : this.#useUnchanged(request)) ?? this.#useCurrent(request, authoritative);
  }

  /** The common case; `undefined` if the session must be read or extended. */
  #useUnchanged(request: ClientRequest): BaseSession | undefined {
    const { nowMs, tokens } = this.store;
    const isUnchanged = this.#seen === this.#changes && nowMs() < this.#unchangedUntil;
    return isUnchanged ? this.#copy(tokens.usedAgain(this.#session, request)) : undefined;
  }

  async #useCurrent(request: ClientRequest, authoritative: boolean): Promise<BaseSession | null> {
    const { options, nowMs, tokens } = this.store;
    const isKnown = this.#seen === this.#changes && !authoritative && isValid(this.#session, options, nowMs());
    const session = isKnown ? this.#session : await this.#read();
    const used = session && (await tokens.useAgain(session, request));
    return used && this.#copy(used);
  }

  /** By id: the token may have been replaced meanwhile, and would then count as stolen. */
  async #read(): Promise<BaseSession | null> {
    const { id } = this.#session;
    const changes = this.#changes;
    const session = await this.store.tokens.again(id);
    if (session) {
      this.#keep(session);
      this.#seen = changes;
    } else {
      this.#hasEnded = true;
      // End everything else that is open with it, too.
      this.store.held.forget([id]);
    }
    return session;
  }

  #keep(session: BaseSession): void {
    this.#session = frozen(this.store, session);
    this.#unchangedUntil = this.store.tokens.unchangedUntil(session);
  }

  /** A handler's changes to its session must not reach other handlers. */
  #copy(session: BaseSession): BaseSession {
    const copy: Values = { ...session };
    for (const name of changeableOf(this.store).documents)
      if (copy[name] !== undefined) copy[name] = copyOf(copy[name]);
    return copy;
  }
}

type Values = BaseSession & Record<string, unknown>;

/** The columns whose values can be mutated, except for values of transformers. */
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

/** A session with dates that cannot be mutated. Copies share them, because creating dates costs more than all the rest. */
function frozen(store: SessionsStore, session: BaseSession): BaseSession {
  const own: Values = { ...session };
  for (const name of changeableOf(store).dates) {
    const date = own[name];
    if (date instanceof Date) own[name] = frozenDate(date.getTime());
  }
  return own;
}
