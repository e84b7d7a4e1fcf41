import { frozenDate } from '../cache/frozen-date.js';
import type { ClientRequest } from '../http/client-address.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { BaseSession } from '../session/session.js';
import { useOf } from '../lifecycle/last-use.js';
import { isValid } from '../session/validity.js';
import { copyOf } from '../util/copy.js';
import type { MaybePromise } from '../util/maybe-promise.js';

/**
 * The session of an open connection. It is read again, by id, only after it may have changed, as its holder reports. Its
 * uses share what it was at a time, which never changes.
 */
export class FollowedSession {
  #session!: BaseSession;
  #unchangedUntil!: number;
  /** The number of reported changes, and how many of them the session includes. */
  #changes = 0;
  #seen = 0;
  #hasEnded = false;
  readonly #changeable: Changeable;

  constructor(
    private readonly store: SessionsStore,
    session: BaseSession,
  ) {
    this.#changeable = changeableOf(store);
    this.#keep(this.copyOf(session));
  }

  changed(): void {
    this.#changes++;
  }

  ended(): void {
    this.#hasEnded = true;
  }

  /**
   * Returns the session for one more use, which is recorded and extends the session when due; `null` if it has ended. It
   * is shared: give away a copy.
   */
  use(request: ClientRequest, authoritative: boolean): MaybePromise<BaseSession | null> {
    if (this.#hasEnded) return null;
    return (authoritative ? undefined : this.#useUnchanged(request)) ?? this.#useCurrent(request, authoritative);
  }

  /** A copy of a session that was returned for a use. What its owner changes reaches no other use. */
  copyOf(session: BaseSession): BaseSession {
    const copy: Values = { ...session };
    // Without an iterator, since many messages come here.
    const { documents } = this.#changeable;
    for (let i = 0; i < documents.length; i++) {
      const name = documents[i]!;
      if (copy[name] !== undefined) copy[name] = copyOf(copy[name]);
    }
    return copy;
  }

  /** The common case; `undefined` if the session must be read or extended. */
  #useUnchanged(request: ClientRequest): BaseSession | undefined {
    const isUnchanged = this.#seen === this.#changes && this.store.nowMs() < this.#unchangedUntil;
    return isUnchanged ? this.#used(this.#session, request) : undefined;
  }

  async #useCurrent(request: ClientRequest, authoritative: boolean): Promise<BaseSession | null> {
    const { options, nowMs, extender } = this.store;
    const isKnown = this.#seen === this.#changes && !authoritative && isValid(this.#session, options, nowMs());
    const session = isKnown ? this.#session : await this.#read();
    const current = session && (options.autoExtend ? await extender.extendIfDue(session) : session);
    // It may have ended meanwhile.
    if (!current || this.#hasEnded) return null;
    return this.#used(current === session ? session : frozen(this.#changeable, current), request);
  }

  /** Records a use of the session as it was read, or has been extended. */
  #used(session: BaseSession, request: ClientRequest): BaseSession {
    const { lastUse, events, nowMs } = this.store;
    let used = session;
    if (lastUse?.record(session, useOf(request))) {
      used = { ...session, lastUsedAt: frozenDate(nowMs()) };
      if (session === this.#session) this.#session = used;
    }
    if (events.wants('used')) events.emit({ type: 'used', session: this.copyOf(used) });
    return used;
  }

  /** By id: the token may have been replaced meanwhile, and would then count as stolen. */
  async #read(): Promise<BaseSession | null> {
    const { id } = this.#session;
    const changes = this.#changes;
    const session = await this.store.tokens.again(id);
    if (session) {
      this.#keep(session);
      this.#seen = changes;
      return this.#session;
    }
    this.#hasEnded = true;
    // End everything else that is open with it, too.
    this.store.held.forget([id]);
    return null;
  }

  #keep(session: BaseSession): void {
    this.#session = frozen(this.#changeable, session);
    this.#unchangedUntil = this.store.tokens.unchangedUntil(session);
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
function frozen({ dates }: Changeable, session: BaseSession): BaseSession {
  const own: Values = { ...session };
  for (const name of dates) {
    const date = own[name];
    if (date instanceof Date) own[name] = frozenDate(date.getTime());
  }
  return own;
}
