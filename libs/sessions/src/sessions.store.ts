import type { EntityManager } from 'typeorm';
import { And, In, IsNull, LessThan, MoreThan, MoreThanOrEqual, Or } from 'typeorm';
import { param } from './adapters/operators.js';
import type { Prepared, Row, Schema, SessionsAdapter, Where } from './adapters/sessions-adapter.js';
import { translateFilters } from './session-filters.js';
import { type BaseSession, endFrom, extensionAt, isDue, isExpired, limitsOf, wasEnded } from './session.js';
import type { ResolvedOptions } from './sessions.options.js';
import type { Columns } from './adapters/conditions.js';
import { durationMs } from './duration.js';
import { LastUse } from './last-use.js';
import { type DefinedColumn, lastUseOf, sessionColumns, type SessionsTableDefinition } from './table/definition.js';
import { candidateDigests } from './token/digest.js';
import { isWellFormedToken } from './token/parse.js';

/** One table at run time: its options, its rows, and the queries that are compiled once. */
export class SessionsStore {
  readonly columns: Columns<DefinedColumn>;
  /** What is read of a row: all but the digest. */
  readonly selected: readonly string[];
  /** Null for every column that may be null: what a new row has where nothing else is said. */
  readonly unset: Readonly<Row>;
  /** Where the uses of sessions are noted, if the table keeps them. */
  readonly lastUse: LastUse | undefined;
  readonly #byToken: Prepared;
  readonly #redigest: Prepared;
  readonly #extend: Prepared;
  readonly #limit: Prepared;

  constructor(
    readonly definition: SessionsTableDefinition,
    readonly entity: Schema,
    readonly adapter: SessionsAdapter,
    readonly options: ResolvedOptions,
    readonly now: () => Date,
    useFailed: (error: unknown) => void,
  ) {
    this.columns = sessionColumns(definition);
    this.selected = [...this.columns.columns.keys()];
    const nullable = [...this.columns.columns.values()].filter((column) => column.nullable);
    this.unset = Object.fromEntries(nullable.map((column) => [column.property, null]));
    const digests = options.schemes.map((_, i) => param(`digest${i}`));
    this.#byToken = adapter.prepare('all', entity, {
      where: {
        authTokenDigest: digests.length === 1 ? digests[0] : In(digests),
        expiresAt: Or(IsNull(), MoreThan(param('now'))),
      },
      // Where a row may have an older digest, it tells which one it has.
      select: digests.length === 1 ? this.selected : [...this.selected, 'authTokenDigest'],
    });
    const lastUse = lastUseOf(definition);
    if (lastUse) {
      const { interval = '5m', ip = false, userAgent = false } = lastUse;
      this.lastUse = new LastUse(adapter, entity, { intervalMs: durationMs(interval)!, ip, userAgent }, useFailed);
    }
    this.#redigest = adapter.prepare('updateAll', entity, {
      set: { authTokenDigest: param('digest') },
      where: { id: param('id'), authTokenDigest: param('former') },
    });
    this.#extend = adapter.prepare('updateAll', entity, {
      set: { expiresAt: param('expiresAt'), updatedAt: param('now') },
      // A log-out meanwhile leaves an earlier end than the one that was seen. Not than now: its clock may be ahead of ours.
      where: { id: param('id'), expiresAt: And(MoreThanOrEqual(param('seen')), LessThan(param('ifBefore'))) },
    });
    this.#limit = adapter.prepare('updateAll', entity, {
      set: { expiresAt: param('expiresAt'), updatedAt: param('now') },
      where: { id: param('id'), expiresAt: IsNull() },
    });
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

  /**
   * The valid session of a token, by one prepared query; none is sent for text that is no token. A row with an older
   * digest than new rows have gets theirs.
   */
  async findByToken(token: unknown, manager?: EntityManager): Promise<BaseSession | null> {
    const [digest, ...former] = this.digestsOf(token);
    if (digest === undefined) return null;
    const params: Row = { now: this.now() };
    // As many as the query has, also where one of the schemes has none for this token.
    for (const i of this.options.schemes.keys()) params[`digest${i}`] = i === 0 ? digest : (former[i - 1] ?? digest);
    const { rows } = await this.on(manager).execute(this.#byToken, params);
    const stored = rows?.[0]?.['authTokenDigest'];
    const session = this.#validFrom(rows);
    if (session !== null && stored !== undefined && stored !== digest) {
      await this.on(manager).execute(this.#redigest, { id: session.id, digest, former: stored });
    }
    return session;
  }

  /** The session, extended by its table's lifetime where that is worth a write; `null` where it ended meanwhile. */
  async extendIfDue(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    const now = this.now();
    const extension = extensionAt(now, limitsOf(session, this.options));
    if (!isDue(session.expiresAt, extension, now) || wasEnded(session)) return session;
    const params = { id: session.id, now, seen: session.expiresAt, ...extension };
    return this.#extended(session, this.#extend, params, manager);
  }

  /**
   * The session as it is now, with its lifetime begun anew where that is worth a write, also where it had no end; `null`
   * where it has ended. The caller's copy may be old, so only its id, and whether it had an end, is relied on.
   */
  async refresh(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    const current = await this.#findValid(session, manager);
    if (current === null || current.expiresAt !== null) return current && this.extendIfDue(current, manager);
    const now = this.now();
    const expiresAt = endFrom(now, limitsOf(current, this.options));
    if (session.expiresAt !== null || expiresAt === null) return current;
    return this.#extended(current, this.#limit, { id: session.id, now, expiresAt }, manager);
  }

  /** One conditional statement; where it finds nothing, another was faster, or the session has ended. */
  async #extended(
    session: BaseSession,
    statement: Prepared,
    params: Row & { expiresAt: Date; now: Date },
    manager?: EntityManager,
  ): Promise<BaseSession | null> {
    const { count } = await this.on(manager).execute(statement, params);
    const { expiresAt, now: updatedAt } = params;
    return count === 1 ? { ...session, expiresAt, updatedAt } : this.#findValid(session, manager);
  }

  /** A session as it is now, with the relations it had; `null` where it has ended. */
  async #findValid(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    const adapter = this.on(manager);
    const where = { id: session.id, expiresAt: Or(IsNull(), MoreThan(this.now())) };
    const { rows } = await adapter.execute(adapter.prepare('all', this.entity, { where, select: this.selected }));
    const found = this.#validFrom(rows);
    return found && { ...session, ...found };
  }

  /** The row that was found, unless the session ended while the query was on its way. */
  #validFrom(rows: Row[] | null): BaseSession | null {
    const session = rows?.[0] ? this.sessionFrom(rows[0]) : null;
    return session === null || session.isExpired || wasEnded(session) ? null : session;
  }

  /** A row of the table as a session. */
  sessionFrom(row: Row): BaseSession {
    // Relations come with whole rows, and the digest is on no session.
    const { authTokenDigest: _digest, ...session } = row as Row & Omit<BaseSession, 'isExpired'>;
    const now = this.now();
    const { absoluteEnd } = limitsOf(session, this.options);
    return { ...session, isExpired: isExpired(session.expiresAt, now) || isExpired(absoluteEnd, now) };
  }

  /** The creation of sessions that reach their table's absolute limit now; none where each has its own, or there is none. */
  #since(): Date | null {
    const { absoluteMs } = this.options;
    return absoluteMs === null || this.definition.ownLimits ? null : new Date(this.now().getTime() - absoluteMs);
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
