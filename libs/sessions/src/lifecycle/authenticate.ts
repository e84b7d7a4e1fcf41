import type { EntityManager } from 'typeorm';
import { param } from '../adapters/port/operators.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { RefusalReason } from '../events/session-event.js';
import type { Prepared, RawRow, Row } from '../adapters/port/query.js';
import { Coalescer } from '../util/coalescer.js';
import { chain, type MaybePromise } from '../util/maybe-promise.js';
import { isOutage } from '../errors/outages.js';
import { type CachedSessions, cacheKey } from '../cache/cached-sessions.js';
import { frozenDate } from '../cache/frozen-date.js';
import type { Reading } from '../cache/near-cache.js';
import type { Refused } from '../events/session-events.js';
import type { ClientRequest } from '../http/client-address.js';
import { dueAt, endMsOf } from '../session/lifetime.js';
import type { BaseSession } from '../session/session.js';
import { digestsOf } from '../token/digest.js';
import { hasTokenLength } from '../token/parse.js';
import type { Extender } from './extend.js';
import { type LastUse, type SessionUse, useOf } from './last-use.js';
import { NEWER_DIGESTS } from './messages.js';
import { judge, type Judgement, refusalOf, sessionFrom, UNKNOWN } from './read-session.js';
import { foundByReplacedToken, ReplacedTokens } from './replaced-tokens.js';
import { adapterIn, type TableContext } from './table-context.js';
import { TokenLookup } from './token-lookup.js';

/** How a token is judged. */
interface Presentation {
  readonly manager?: EntityManager | undefined;
  /** Whether the database has to say so. Default: false. */
  readonly authoritative?: boolean | undefined;
  /** Default: as the table says. */
  readonly autoExtend?: boolean | undefined;
  /** The relations to load with the session, which then is from the database, and kept nowhere. Default: none. */
  readonly relations?: readonly string[] | undefined;
  readonly use?: SessionUse | undefined;
  /** Who learns why it is refused, in place of those who listen to events. */
  readonly onRefused?: ((reason: RefusalReason, session?: BaseSession) => void) | undefined;
}

const NO_USE: SessionUse = {};

/** Where an answer is to be kept. */
interface Keeping {
  readonly cache: CachedSessions;
  readonly key: string;
  readonly reading: Reading;
}

/** A token on its way. */
interface Asked {
  readonly digests: readonly string[];
  readonly presentation: Presentation;
  readonly keeping: Keeping | undefined;
}

const MALFORMED: Refused = { type: 'refused', reason: 'malformed' };

/** The sessions of the tokens that come with requests. */
export class Authenticator {
  readonly #lookup: TokenLookup;
  readonly #redigest: Prepared;
  readonly #byId: Prepared;
  /** The same within the time that look-ups have. */
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
   * The valid session of a token, extended where that is due, by one prepared query; none is sent for text that is no token,
   * and for a token that the near cache knows, unless the answer is to be authoritative. A row with an older digest than new
   * rows have gets theirs. Its use is noted and told, as is its refusal.
   */
  authenticate(token: unknown, presentation: Presentation = {}): MaybePromise<BaseSession | null> {
    const { cache, options, adapter, nowMs, meter } = this.table;
    const { manager, relations } = presentation;
    let keeping: Keeping | undefined;
    if (cache && !manager && !relations?.length) {
      if (!hasTokenLength(token)) return this.#refused(MALFORMED, presentation);
      const key = cacheKey(token);
      const now = nowMs();
      const asks = this.#asksDatabase(presentation);
      const kept = asks ? undefined : cache.find(key, now);
      if (!asks) meter.count(kept === undefined ? 'cacheMisses' : 'cacheHits');
      if (kept) return this.#used(kept, presentation);
      if (kept === null) return this.#keptOut(cache, key, presentation);
      keeping = { cache, key, reading: cache.reading(now) };
    }
    // Not before, since what is kept was well formed.
    const digests = digestsOf(token, options.tokenFormat, options.schemes);
    if (digests.length === 0) return this.#refused(MALFORMED, presentation);
    const asked = { digests, presentation, keeping };
    const row = this.#lookup.find(digests, manager && adapter.within(manager), relations);
    return row instanceof Promise ? row.then((found) => this.#judged(found, asked)) : this.#judged(row, asked);
  }

  /** The valid session whose token was looked up before, as it is now. */
  async again(id: string): Promise<BaseSession | null> {
    return this.#again.run(id, id);
  }

  async #readAgain(id: string): Promise<BaseSession | null> {
    const row = await this.table.adapter.first(this.#againById, { id });
    const judged = row && judge(this.table, row);
    return judged?.isValid ? judged.session : this.#refused(refusalOf(judged?.session), {});
  }

  /** One more use of a valid session that is held: noted, and extended where that is due; `null` where it has ended meanwhile. */
  useAgain(session: BaseSession, request: ClientRequest): MaybePromise<BaseSession | null> {
    const current = this.table.options.autoExtend ? this.extender.extendIfDue(session) : session;
    return chain(current, (valid) => valid && this.usedAgain(session, request, valid));
  }

  /** Notes one more use of a valid session that is held; its copy of now. */
  usedAgain(held: BaseSession, request: ClientRequest, session = held): BaseSession {
    // What is held is as old as what is open, and its copies share its dates.
    if (this.lastUse?.record(held, useOf(request))) Object.assign(held, { lastUsedAt: frozenDate(this.table.nowMs()) });
    this.table.events.emit({ type: 'used', session });
    return session;
  }

  /** When a session ends, or is to be extended, whichever comes first, in milliseconds. */
  unchangedUntil(session: BaseSession): number {
    const { options, fixedEnds } = this.table;
    const end = endMsOf(session, options);
    return options.autoExtend && !fixedEnds.has(session) ? Math.min(end, dueAt(session, options)) : end;
  }

  /** What is kept needs no extension, where the table extends by itself. */
  #asksDatabase({ authoritative = false, autoExtend }: Presentation): boolean {
    return authoritative || (autoExtend === true && !this.table.options.autoExtend);
  }

  /** Of most tokens the row is there, and nothing is to be written. */
  #judged(found: RawRow | undefined, asked: Asked): MaybePromise<BaseSession | null> {
    const { table } = this;
    const { digests, presentation, keeping } = asked;
    const { autoExtend = table.options.autoExtend } = presentation;
    const judged = found && judge(table, found.load(table.selected.length));
    const session = judged?.isValid ? judged.session : null;
    // Where rows may have an older digest than new ones, the row tells which one it has.
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
    const inside = manager && adapterIn(this.table, manager);
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

  /** Refuses what has no valid row; it is kept, but for what was found by a token that has ended its session. */
  #turnedAway(refused: Refused, row: RawRow | undefined, { presentation, keeping }: Asked): null {
    if (keeping && refused.reason !== 'token_reuse')
      keeping.cache.keepRefused(keeping.key, refused, keeping.reading, row);
    return this.#refused(refused, presentation);
  }

  /** Why a session is refused that has ended since its row was read. It is, also where nobody can tell why. */
  async #endOf({ id }: BaseSession, inside?: SessionsAdapter): Promise<Refused> {
    try {
      const row = await (inside ?? this.table.adapter).first(this.#byId, { id });
      return refusalOf(row && sessionFrom(this.table, row));
    } catch (error) {
      // It may have ended the caller's transaction.
      if (inside) throw error;
      return UNKNOWN;
    }
  }

  /** Keeps what was read, but for what was found by a token that soon ends its session. */
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

  /** What is kept of a refusal is looked for only where somebody listens. */
  #keptOut(cache: CachedSessions, key: string, presentation: Presentation): null {
    if (!this.#isHeard(presentation)) return null;
    return this.#refused(cache.refusalOf(key) ?? UNKNOWN, presentation);
  }

  /** Whether anybody learns why a token is refused. */
  #isHeard({ onRefused }: Presentation): boolean {
    return onRefused !== undefined || this.table.events.wants('refused');
  }

  #refused(refused: Refused, { onRefused }: Presentation): null {
    if (onRefused) onRefused(refused.reason, refused.session);
    else this.table.events.emit(refused);
    return null;
  }
}
