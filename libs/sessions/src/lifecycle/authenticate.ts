import type { EntityManager } from 'typeorm';
import { In } from 'typeorm';
import { param } from '../adapters/port/operators.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Prepared, RawRow, Row } from '../adapters/port/query.js';
import { andThen, type Awaitable } from '../util/maybe-promise.js';
import { type CachedSessions, keyOf } from '../cache/cached-sessions.js';
import type { Reading } from '../cache/near-cache.js';
import type { Refused } from '../events/session-events.js';
import type { SessionUse } from './last-use.js';
import { type BaseSession, dueAt, earlier, limitsOf } from '../session/session.js';
import type { SessionsStore } from './sessions-store.js';
import { isSuperseded, SupersededTokens } from './replaced-tokens.js';
import { digestsOf } from '../table/columns.js';
import { hasTokenLength } from '../token/parse.js';
import { TokenLookUps } from './token-lookup.js';

/** As the log names it. */
const DIGEST = 'the newer digests of tokens';

/** How a session is looked up by its token. */
interface LookUp {
  readonly manager?: EntityManager | undefined;
  /** Whether the database has to say so. Default: false. */
  readonly authoritative?: boolean | undefined;
  /** Default: as the table says. */
  readonly autoExtend?: boolean | undefined;
}

/** How a token that came with a request is judged. */
interface Presentation extends LookUp {
  readonly use?: SessionUse | undefined;
  /** Whether an event tells that it is refused. Default: true. */
  readonly tellsRefusal?: boolean | undefined;
}

/** Where an answer is to be kept. */
interface Keeping {
  readonly cache: CachedSessions;
  readonly key: string;
  readonly reading: Reading;
}

/** The sessions of the tokens that come with requests. */
export class PresentedTokens {
  readonly #lookUps: TokenLookUps;
  readonly #redigest: Prepared;
  readonly #superseded: SupersededTokens | undefined;

  /** @param together whether look-ups that come together travel together */
  constructor(
    private readonly store: SessionsStore,
    together: boolean,
  ) {
    const { adapter, entity, selected: select, options, definition } = store;
    const lookUps = (column: string): TokenLookUps =>
      new TokenLookUps({ adapter, entity, column, select, schemes: options.schemes.length }, together);
    this.#lookUps = lookUps('authTokenDigest');
    if (definition.rotation) this.#superseded = new SupersededTokens(store, lookUps('previousTokenDigest'));
    this.#redigest = adapter.prepare('updateAll', entity, {
      set: { authTokenDigest: param('digest') },
      where: { id: param('id'), authTokenDigest: param('former') },
      skipLocked: true,
    });
  }

  /** As {@link find}, with what is noted and told of a token's use, or its refusal. */
  authenticate(token: unknown, presentation: Presentation = {}): Awaitable<BaseSession | null> {
    const { lastUse, events, now } = this.store;
    return andThen(this.find(token, presentation), (session) => {
      if (session) {
        lastUse?.note(session, presentation.use ?? {}, now());
        events.tell({ type: 'used', session });
        return session;
      }
      const { tellsRefusal = true, manager } = presentation;
      if (!tellsRefusal || session === null || !events.wants('refused')) return null;
      return this.refusalOf(token, manager).then((refused) => {
        events.tell(refused);
        return null;
      });
    });
  }

  /**
   * The valid session of a token, extended where that is due, by one prepared query; none is sent for text that is no token,
   * and for a token that the near cache knows, unless the answer is to be authoritative. A row with an older digest than new
   * rows have gets theirs. `undefined` where there is none, `null` where an event has told why.
   */
  find(
    token: unknown,
    { manager, authoritative = false, autoExtend = this.store.options.autoExtend }: LookUp,
  ): Awaitable<BaseSession | null | undefined> {
    const { store } = this;
    const { cache, options } = store;
    let keeping: Keeping | undefined;
    if (cache && !manager) {
      if (!hasTokenLength(token)) return undefined;
      const key = keyOf(token);
      const now = store.nowMs();
      // What is kept needs no extension, where the table extends by itself.
      const needsLook = authoritative || (autoExtend && !options.autoExtend);
      const kept = needsLook ? undefined : cache.find(key, now);
      if (kept !== undefined) return kept ?? undefined;
      keeping = { cache, key, reading: cache.reading(now) };
    }
    // Not before, since what is kept was well formed.
    const digests = store.digestsOf(token);
    return digests.length === 0 ? undefined : this.#readAndExtend(digests, autoExtend, manager, keeping);
  }

  #readAndExtend(
    digests: readonly string[],
    autoExtend: boolean,
    manager: EntityManager | undefined,
    keeping?: Keeping,
  ): Awaitable<BaseSession | null | undefined> {
    const inside = manager && this.store.on(manager);
    return andThen(this.#lookUps.find(digests, inside), (row) =>
      andThen(this.#foundBy(digests, row, inside), (session) => {
        if (keeping) this.#keep(session, row, keeping);
        if (!session || !autoExtend) return session;
        return andThen(this.store.extendIfDue(session, manager), (extended) => extended ?? undefined);
      }),
    );
  }

  /** Keeps what was read, but for what only an event has told of, and what was found by a token that soon ends its session. */
  #keep(session: BaseSession | null | undefined, row: RawRow | undefined, { cache, key, reading }: Keeping): void {
    if (session === undefined) cache.keep(key, null, reading);
    else if (session && !isSuperseded(session)) cache.keep(key, session, reading, this.#keptUntil(session), row);
  }

  /** When a session ends, or is to be extended, whichever comes first, in milliseconds. */
  #keptUntil(session: BaseSession): number {
    const { options, fixedEnds } = this.store;
    const { absoluteEnd } = limitsOf(session, options);
    const end = earlier(session.expiresAt, absoluteEnd)?.getTime() ?? Infinity;
    return options.autoExtend && !fixedEnds.has(session) ? Math.min(end, dueAt(session, options)) : end;
  }

  #foundBy(
    digests: readonly string[],
    found: RawRow | undefined,
    inside: SessionsAdapter | undefined,
  ): Awaitable<BaseSession | null | undefined> {
    const [digest] = digests;
    const row = found?.load();
    // Where rows may have an older digest than new ones, it tells which one it has.
    const former = row?.['authTokenDigest'] ?? digest;
    const session = this.store.validFrom(row);
    if (session === null) return this.#superseded?.find(digests, inside);
    if (former === digest || !this.store.favours.possible) return session;
    return this.#giveNewer({ id: session.id, digest, former }, inside).then(() => session);
  }

  async #giveNewer(digest: Row, inside: SessionsAdapter | undefined): Promise<void> {
    const { adapter, favours } = this.store;
    try {
      const written = (inside ?? adapter).execute(this.#redigest, digest);
      await (inside ? written : favours.inTime(DIGEST, written));
    } catch (error) {
      favours.failed(DIGEST, error, inside !== undefined);
    }
  }

  /** Why there is no valid session of a token, which is looked up for events only: a client is not told. */
  async refusalOf(token: unknown, manager?: EntityManager): Promise<Refused> {
    const { store } = this;
    const digests = In(store.digestsOf(token));
    if (digests.value.length === 0) return { type: 'refused', reason: 'malformed' };
    const adapter = store.on(manager);
    const where = digestsOf(store.definition).map((column) => ({ [column]: digests }));
    const { rows } = await adapter.execute(adapter.prepare('all', store.entity, { where, select: store.selected }));
    const session = rows?.[0] && store.sessionFrom(rows[0]);
    if (!session) return { type: 'refused', reason: 'unknown' };
    return { type: 'refused', reason: session.revokedAt ? 'revoked' : 'expired', session };
  }
}
