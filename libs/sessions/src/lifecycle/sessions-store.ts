import type { EntityManager } from 'typeorm';
import { And, FindOperator, IsNull, MoreThan, MoreThanOrEqual, Or } from 'typeorm';
import { later, param } from '../adapters/port/operators.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Executed, Prepared, QueryKind, QueryOptions, Row, Schema, Where } from '../adapters/port/query.js';
import { isNever } from '../util/times.js';
import { andThen, type Awaitable } from '../util/maybe-promise.js';
import type { TableEvents, Told } from '../events/session-events.js';
import { type Clock, millisecondsOf } from '../util/clock.js';
import type { CachedSessions } from '../cache/cached-sessions.js';
import { SessionValidationError } from '../errors/errors.js';
import { bothOf, noEnd, translateFilters } from './filters.js';
import { type BaseSession, isDue, isOver, wasEnded } from '../session/session.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import type { Columns } from '../adapters/port/columns.js';
import { durationMs } from '../util/duration.js';
import type { Favours } from './favours.js';
import { LastUse } from './last-use.js';
import { type DefinedColumn, hiddenOf, sessionColumns, shownColumns } from '../table/columns.js';
import { lastUseOf, reasonsOf, type SessionsTableDefinition } from '../table/definition.js';
import { candidateDigests } from '../token/digest.js';
import { isWellFormedToken } from '../token/parse.js';
import { Extensions } from './extend.js';
import { FixedEnds } from './fixed-ends.js';
import { PresentedTokens } from './authenticate.js';
import { UnreadableEnds } from './unreadable-ends.js';

/** A statement that changes sessions, or deletes them. */
interface WriteQuery extends QueryOptions {
  readonly where: readonly Where[];
}

/** One table at run time: its options, its rows, and the queries that are compiled once. */
export class SessionsStore {
  readonly columns: Columns<DefinedColumn>;
  /** What is read of a row: what sessions show. */
  readonly selected: readonly string[];
  /** Null for every column that may be null: what a new row has where nothing else is said. */
  readonly unset: Readonly<Row>;
  /** Where the uses of sessions are noted, if the table keeps them. */
  readonly lastUse: LastUse | undefined;
  /** {@link now} in milliseconds. */
  readonly nowMs: () => number;
  /** What comes with requests. */
  readonly tokens: PresentedTokens;
  /** The ends that no use moves. */
  readonly fixedEnds: FixedEnds;
  readonly #hidden: readonly string[];
  readonly #unreadable: UnreadableEnds;
  readonly #data: Prepared;
  readonly #extensions: Extensions;

  constructor(
    readonly definition: SessionsTableDefinition,
    readonly entity: Schema,
    readonly adapter: SessionsAdapter,
    readonly options: ResolvedOptions,
    readonly now: Clock,
    readonly events: TableEvents,
    readonly favours: Favours,
    noFixedEnds: (addedBy: string) => void,
    warn: (problem: string) => void,
    readonly cache?: CachedSessions,
  ) {
    this.columns = sessionColumns(definition);
    this.nowMs = millisecondsOf(now);
    this.#unreadable = new UnreadableEnds(options.absoluteMs !== null, this.nowMs, warn);
    this.#hidden = hiddenOf(definition);
    this.selected = shownColumns(definition).map(({ property }) => property);
    const nullable = [...this.columns.columns.values()].filter((column) => column.nullable);
    this.unset = Object.fromEntries(nullable.map((column) => [column.property, null]));
    const together = options.coalesces && !adapter.init([entity]).inProcess;
    this.fixedEnds = new FixedEnds(adapter, entity, noFixedEnds);
    this.tokens = new PresentedTokens(this, together);
    this.#extensions = new Extensions(this, together);
    const lastUse = lastUseOf(definition);
    if (lastUse) {
      const { interval = '5m', ip = false, userAgent = false } = lastUse;
      const keep = { intervalMs: durationMs(interval)!, ip, userAgent };
      const written = (ids: readonly string[]): void => cache?.forgetHere(ids);
      this.lastUse = new LastUse(adapter, entity, keep, (at) => this.validAt(at), favours, written);
    }
    this.#data = adapter.prepare('all', entity, { where: { id: param('id') }, select: ['data'], often: true });
  }

  get table(): string {
    return this.columns.name;
  }

  /** The adapter, inside the caller's transaction where there is one. */
  on(manager: EntityManager | undefined): SessionsAdapter {
    return manager ? this.adapter.within(manager) : this.adapter;
  }

  /** The digests under which a token may be stored; none for text that is no token. */
  digestsOf(token: unknown): string[] {
    if (!isWellFormedToken(token, this.options.tokenFormat)) return [];
    return candidateDigests(token, this.options.schemes);
  }

  /** What holds for the sessions that are valid at a time. */
  validAt(now: Date): Where {
    return { expiresAt: Or(IsNull(), MoreThan(now)), ...this.unrevoked };
  }

  /** That nobody has revoked a session; nothing, where a revocation is an end like any other. */
  get unrevoked(): Where {
    return this.definition.revocation ? { revokedAt: IsNull() } : {};
  }

  /**
   * That nothing has ended a session since this copy of it was read. Its end tells, not the time: a log-out leaves an
   * earlier one, and may have happened on a node whose clock is ahead of ours, or after our statement was made.
   */
  unendedSince({ expiresAt: seen }: { readonly expiresAt?: Date | null }, now: Date): Where {
    if (seen === undefined) return this.validAt(now);
    const end = seen === null ? noEnd() : Or(IsNull(), And(MoreThan(now), MoreThanOrEqual(seen)));
    return { ...this.unrevoked, expiresAt: end };
  }

  /**
   * Ends the sessions that match and have not ended, in one statement, and returns how many there were. A table with
   * `revocation` keeps when and why, others only the end.
   *
   * @throws SessionValidationError for a reason that the table does not have
   */
  async revoke(
    where: readonly Where[],
    reason: string,
    adapter = this.adapter,
    tell = (event: Told): void => this.events.tell(event),
  ): Promise<number> {
    return (await this.#end(where, reason, this.events.wants('revoked'), adapter, tell)).count;
  }

  /** As {@link revoke}, for one session, which it gives back as it is then. */
  async take(where: readonly Where[], reason: string, adapter: SessionsAdapter): Promise<BaseSession | null> {
    const { sessions } = await this.#end(where, reason, true, adapter, (event) => this.events.tell(event));
    return sessions[0] ?? null;
  }

  async #end(
    where: readonly Where[],
    reason: string,
    returns: boolean,
    adapter: SessionsAdapter,
    tell: (event: Told) => void,
  ): Promise<{ count: number; sessions: BaseSession[] }> {
    const reasons = reasonsOf(this.definition);
    if (!reasons.includes(reason))
      throw new SessionValidationError(this.table, { reason: `must be one of ${reasons.join(', ')}` });
    const now = this.now();
    const ended = this.definition.revocation ? { revokedAt: now, revokedReason: reason } : { expiresAt: now };
    const { count, rows } = await this.write(adapter, 'updateAll', {
      set: { ...ended, updatedAt: later(now) },
      where: bothOf(where, this.whereOf([{}])),
      ...(returns && { returning: this.selected }),
    });
    const sessions = (rows ?? []).map((row) => this.sessionFrom(row));
    for (const session of sessions) tell({ type: 'revoked', session, reason });
    return { count, sessions };
  }

  /** Runs a statement that changes sessions, or deletes them, and lets every process forget them once it is committed. */
  async write(adapter: SessionsAdapter, kind: QueryKind, options: WriteQuery): Promise<Executed> {
    const named = idsIn(options.where);
    const returning = options.returning ?? (this.cache && !named ? ['id'] : undefined);
    let changed = named;
    try {
      const executed = await adapter.execute(adapter.prepare(kind, this.entity, { ...options, returning }));
      changed ??= executed.rows?.map(({ id }) => id as string);
      return options.returning ? executed : { ...executed, rows: null };
    } finally {
      // A statement whose answer is lost may have been run.
      await this.forget(changed, adapter);
    }
  }

  /** Lets every process forget what it has kept of sessions, as soon as the transaction has ended; of all where none are named. */
  async forget(ids: readonly string[] | undefined, adapter: SessionsAdapter): Promise<void> {
    const { cache } = this;
    if (cache && ids?.length !== 0) await adapter.afterTransaction(() => cache.forget(ids));
  }

  /**
   * The session, extended by its table's lifetime where that is worth a write, and possible; `null` where it ended
   * meanwhile.
   */
  extendIfDue(session: BaseSession, manager?: EntityManager): Awaitable<BaseSession | null> {
    if (!this.#isToBeExtended(session) || !this.favours.possible) return session;
    return this.#extensions.extend(session, manager);
  }

  #isToBeExtended(session: BaseSession): boolean {
    if (session.isExpired || !isDue(session, this.options, this.nowMs())) return false;
    return !wasEnded(session) && !this.fixedEnds.has(session);
  }

  /**
   * The session as it is now, with its lifetime begun anew where that is worth a write, also where it had no end; `null`
   * where it has ended. The caller's copy may be old, so only its id, and whether it had an end, is relied on.
   */
  async refresh(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    const current = await this.findValid(session, manager);
    if (current === null) return null;
    if (current.expiresAt !== null)
      return this.#isToBeExtended(current) ? this.#extensions.extendNow(current, manager) : current;
    return session.expiresAt === null ? this.#extensions.limit(current, manager) : current;
  }

  /**
   * A session as it is now, with the relations it had; `null` where it has ended.
   *
   * @param latest whether the caller's transaction is to see what others have committed since it began: MySQL and MariaDB then
   *   wait for who has locked the row
   */
  async findValid(session: BaseSession, manager?: EntityManager, latest = true): Promise<BaseSession | null> {
    const adapter = this.on(manager);
    const where = { id: session.id, ...this.validAt(this.now()) };
    const select = this.fixedEnds.readBeside(this.selected);
    const query = adapter.prepare('all', this.entity, { where, select, latest });
    const { rows } = await adapter.execute(query);
    const found = this.validFrom(rows?.[0]);
    return found && { ...session, ...found };
  }

  /** The row that was found, unless the session ended while the query was on its way. */
  validFrom(row: Row | undefined): BaseSession | null {
    const session = row ? this.sessionFrom(row) : null;
    return session === null || session.isExpired || wasEnded(session) ? null : session;
  }

  /** What the application keeps with a session; `undefined` where that is gone. */
  dataOf(id: string, manager?: EntityManager): Awaitable<Record<string, unknown> | undefined> {
    return andThen(
      this.on(manager).first(this.#data, { id }),
      (row) => row && ((row['data'] ?? {}) as Record<string, unknown>),
    );
  }

  /** A row of the table as a session; unless it has columns that no session shows, the row itself becomes it. */
  sessionFrom(row: Row): BaseSession {
    const session = this.#shown(row) as { -readonly [K in keyof BaseSession]: BaseSession[K] };
    if (session.expiresAt !== null && isNever(session.expiresAt)) session.expiresAt = null;
    session.isExpired = Boolean(session.revokedAt) || isOver(session, this.options, this.nowMs());
    if (session.isExpired) this.#unreadable.note(session);
    // The column may have it in a table of another program.
    if ((session.data as unknown) === null) session.data = {};
    // Rows from before the table had scopes have none.
    if (session.scopes === null) session.scopes = [];
    return session;
  }

  /** Relations come with whole rows, new rows are whole, and a digest is on no session. */
  #shown(row: Row): Row {
    if (!this.#hidden.some((name) => name in row)) return row;
    this.fixedEnds.note(row);
    const shown: Row = {};
    for (const name of Object.keys(row)) if (!this.#hidden.includes(name)) shown[name] = row[name];
    return shown;
  }

  /** The beginning of sessions that reach their table's absolute limit now; none where there is no such limit. */
  #since(): Date | null {
    const { absoluteMs } = this.options;
    return absoluteMs === null ? null : new Date(this.now().getTime() - absoluteMs);
  }

  /** Filters as conditions on columns. @throws SessionValidationError */
  whereOf(sets: readonly Row[]): Where[] {
    return translateFilters(sets, {
      columns: this.columns,
      now: this.now(),
      digestsOf: (token) => this.digestsOf(token),
      since: this.#since(),
    });
  }
}

/** The ids of the only rows that conditions are about, where they name them. */
function idsIn(where: readonly Where[]): string[] | undefined {
  const ids: string[] = [];
  for (const { id } of where) {
    if (typeof id === 'string') ids.push(id);
    else if (id instanceof FindOperator && id.type === 'in') ids.push(...(id.value as string[]));
    else return undefined;
  }
  return ids;
}
