import type { EntityManager } from 'typeorm';
import { param } from '../adapters/port/operators.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { RefusalReason } from '../events/session-event.js';
import type { Prepared, RawRow, Row } from '../adapters/port/query.js';
import { Coalescer } from '../util/coalescer.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { isOutage } from '../errors/outages.js';
import { type CachedSessions, cacheKey } from '../cache/cached-sessions.js';
import type { Reading } from '../cache/near-cache.js';
import type { Refused } from '../events/session-events.js';
import { dueAt, endMsOf } from '../session/lifetime.js';
import type { BaseSession } from '../session/session.js';
import { digestsOf, hasTokenLength } from '../token/parse.js';
import type { Extender } from './extend.js';
import type { LastUse, SessionUse } from './last-use.js';
import { NEWER_DIGESTS } from './messages.js';
import { judge, type Judgement, refusalOf, sessionFrom, UNKNOWN } from './read-session.js';
import { foundByReplacedToken, ReplacedTokens } from './replaced-tokens.js';
import { adapterIn, type TableContext } from './table-context.js';
import { TokenLookup } from './token-lookup.js';

/** How to judge a token. */
interface Presentation {
  readonly manager?: EntityManager | undefined;
  /** Whether the database must say so. Default: false. */
  readonly authoritative?: boolean | undefined;
  /** Default: the table's autoExtendSession. */
  readonly autoExtend?: boolean | undefined;
  /** The relations to load. The session then comes from the database and is not cached. Default: none. */
  readonly relations?: readonly string[] | undefined;
  readonly use?: SessionUse | undefined;
  /** Called with the reason for a refusal instead of emitting an event. */
  readonly onRefused?: ((reason: RefusalReason, session?: BaseSession) => void) | undefined;
}

const NO_USE: SessionUse = {};

/** Where to cache an answer. */
interface Keeping {
  readonly cache: CachedSessions;
  readonly key: string;
  readonly reading: Reading;
}

/** A lookup under way. */
interface Asked {
  readonly digests: readonly string[];
  readonly presentation: Presentation;
  readonly keeping: Keeping | undefined;
}

const MALFORMED: Refused = { type: 'refused', reason: 'malformed' };

/** Authenticates the tokens of requests. */
export class Authenticator {
  readonly #lookup: TokenLookup;
  readonly #redigest: Prepared;
  readonly #byId: Prepared;
  /** The same query with the timeout of lookups. */
  readonly #againById: Prepared;
  readonly #again: Coalescer<string, BaseSession | null>;
  readonly #replaced: ReplacedTokens | undefined;

  constructor(
    private readonly table: TableContext,
    private readonly extender: Extender,
    private readonly lastUse: LastUse | undefined,
  ) {
    const { adapter, entity, selected: select, options, definition, coalesces, lookUps, meter } = table;
    const lookup = (column: string): TokenLookup =>
      new TokenLookup({ adapter, entity, column, select, schemes: options.schemes.length, meter }, lookUps, coalesces);
    this.#lookup = lookup('authTokenDigest');
    if (definition.rotation) this.#replaced = new ReplacedTokens(table, lookup('previousTokenDigest'));
    this.#redigest = adapter.prepare('updateAll', entity, {
      set: { authTokenDigest: param('digest') },
      where: { id: param('id'), authTokenDigest: param('former') },
      skipLocked: true,
    });
    const byId = { where: { id: param('id') }, select };
    this.#byId = adapter.prepare('all', entity, byId);
    this.#againById = adapter.prepare('all', entity, { ...byId, timeoutMs: lookUps.timeoutMs });
    this.#again = new Coalescer({
      sendOne: (id) => this.#readAgain(id),
      concernsAll: isOutage,
      bulkhead: lookUps,
    });
  }

  /**
   * Returns the valid session of a token, extended if that is due, with one prepared query. Text that cannot be a token
   * costs no query, nor does a token in the near cache, unless the answer must be authoritative. A row with an older
   * digest gets a new one. Uses and refusals are recorded and emitted as events.
   */
  authenticate(token: unknown, presentation: Presentation = {}): MaybePromise<BaseSession | null> {
    const { cache, options, adapter, nowMs, meter, selected } = this.table;
    const { manager, relations } = presentation;
    let keeping: Keeping | undefined;
    if (cache && manager === undefined && !relations?.length) {
      if (!hasTokenLength(token)) return this.#refused(MALFORMED, presentation);
      const key = cacheKey(token);
      const now = nowMs();
      const asks = this.#asksDatabase(presentation);
      const kept = asks ? undefined : cache.find(key, now);
      if (!asks) (kept === undefined ? meter.counters.cacheMisses : meter.counters.cacheHits).add();
      if (kept) return this.#used(kept, presentation);
      if (kept === null) return this.#keptOut(cache, key, presentation);
      keeping = { cache, key, reading: cache.reading(now) };
    }
    // Only now: what is cached was well-formed.
    const digests = digestsOf(token, options.tokenFormat, options.schemes);
    if (digests.length === 0) return this.#refused(MALFORMED, presentation);
    const asked = { digests, presentation, keeping };
    const row = this.#lookup.find(digests, manager === undefined ? undefined : adapter.within(manager), relations);
    if (row instanceof Promise) return row.then(this.#onRow(asked));
    return this.#judged(row && judge(this.table, row.load(selected.length)), row, asked);
  }

  /** Each caller reads the row itself, in its own asynchronous context. */
  #onRow(asked: Asked): (row: RawRow | undefined) => MaybePromise<BaseSession | null> {
    const { table } = this;
    return (row) => this.#judged(row && judge(table, row.load(table.selected.length)), row, asked);
  }

  /** Reads the valid session of a token that was looked up before. */
  async again(id: string): Promise<BaseSession | null> {
    return this.#again.run(id, id);
  }

  async #readAgain(id: string): Promise<BaseSession | null> {
    const row = await this.table.adapter.first(this.#againById, { id });
    const judged = row && judge(this.table, row);
    return judged?.isValid ? judged.session : this.#refused(refusalOf(judged?.session), {});
  }

  /** When a session ends or becomes due for extension, whichever is first, in milliseconds. */
  unchangedUntil(session: BaseSession): number {
    const { options, fixedEnds } = this.table;
    const end = endMsOf(session, options);
    return options.autoExtend && !fixedEnds.has(session) ? Math.min(end, dueAt(session, options)) : end;
  }

  /** On a table that extends by itself, a cached session needs no extension. */
  #asksDatabase({ authoritative = false, autoExtend }: Presentation): boolean {
    return authoritative || (autoExtend === true && !this.table.options.autoExtend);
  }

  /** The common case: the row is there and nothing is to be written. */
  #judged(judged: Judgement | undefined, found: RawRow | undefined, asked: Asked): MaybePromise<BaseSession | null> {
    const { digests, presentation, keeping } = asked;
    const { autoExtend = this.table.options.autoExtend } = presentation;
    const session = judged?.isValid ? judged.session : null;
    // If rows may have older digests, the row tells which one it has.
    const digest = found && digests.length > 1 ? (found.value('authTokenDigest') as string) : digests[0]!;
    if (session === null && !this.#replaced) return this.#turnedAway(refusalOf(judged?.session), found, asked);
    if (session === null || (judged!.isDue && autoExtend) || digest !== digests[0])
      return this.#settled(judged, digest, found, asked);
    if (keeping) this.#keep(session, found, keeping);
    return this.#used(session, presentation);
  }

  async #settled(
    judged: Judgement | undefined,
    former: string,
    found: RawRow | undefined,
    asked: Asked,
  ): Promise<BaseSession | null> {
    const { digests, presentation, keeping } = asked;
    const { manager, relations, autoExtend = this.table.options.autoExtend } = presentation;
    const inside = manager === undefined ? undefined : adapterIn(this.table, manager);
    const valid = judged?.isValid ? judged.session : undefined;
    const replaced = valid ? undefined : await this.#replaced?.find(digests, inside, relations);
    if (valid && former !== digests[0]) await this.#giveNewer({ id: valid.id, digest: digests[0], former }, inside);
    const session = valid ?? replaced?.valid;
    const row = replaced?.row ?? found;
    if (!session) return this.#turnedAway(replaced?.refused ?? refusalOf(judged?.session), row, asked);
    if (keeping) this.#keep(session, row, keeping);
    const current = autoExtend ? await this.extender.extendIfDue(session, manager) : session;
    if (current) return this.#used(current, presentation);
    return this.#isHeard(presentation) ? this.#refused(await this.#endOf(session, inside), presentation) : null;
  }

  /** Refuses a token without a valid row. Caches the refusal, unless the token has just ended its session. */
  #turnedAway(refused: Refused, row: RawRow | undefined, { presentation, keeping }: Asked): null {
    if (keeping && refused.reason !== 'token_reuse')
      keeping.cache.keepRefused(keeping.key, refused, keeping.reading, row);
    return this.#refused(refused, presentation);
  }

  /** Why a session is refused that has ended since its row was read. If nobody can tell, it is still refused. */
  async #endOf({ id }: BaseSession, inside?: SessionsAdapter): Promise<Refused> {
    try {
      const row = await (inside ?? this.table.adapter).first(this.#byId, { id });
      return refusalOf(row && sessionFrom(this.table, row));
    } catch (error) {
      // The error may have ended the caller's transaction.
      if (inside) throw error;
      return UNKNOWN;
    }
  }

  /** Caches a session, unless its token will soon end it. */
  #keep(session: BaseSession, row: RawRow | undefined, { cache, key, reading }: Keeping): void {
    if (!foundByReplacedToken(session)) cache.keep(key, session, reading, this.unchangedUntil(session), row);
  }

  async #giveNewer(digest: Row, inside: SessionsAdapter | undefined): Promise<void> {
    const { adapter, favours } = this.table;
    if (!favours.possible) return;
    try {
      const written = (inside ?? adapter).execute(this.#redigest, digest);
      await (inside ? written : favours.inTime(NEWER_DIGESTS, written));
    } catch (error) {
      favours.failed(NEWER_DIGESTS, error, inside !== undefined);
    }
  }

  #used(session: BaseSession, { use = NO_USE }: Presentation): BaseSession {
    this.lastUse?.record(session, use);
    this.table.events.emit({ type: 'used', session });
    return session;
  }

  /** The reason of a cached refusal is looked up only if somebody listens. */
  #keptOut(cache: CachedSessions, key: string, presentation: Presentation): null {
    if (!this.#isHeard(presentation)) return null;
    return this.#refused(cache.refusalOf(key) ?? UNKNOWN, presentation);
  }

  /** Whether anybody wants to know why a token is refused. */
  #isHeard({ onRefused }: Presentation): boolean {
    return onRefused !== undefined || this.table.events.wants('refused');
  }

  #refused(refused: Refused, { onRefused }: Presentation): null {
    if (onRefused) onRefused(refused.reason, refused.session);
    else this.table.events.emit(refused);
    return null;
  }
}
