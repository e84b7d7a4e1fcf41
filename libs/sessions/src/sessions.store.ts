import type { EntityManager } from 'typeorm';
import { And, In, IsNull, LessThan, MoreThan, MoreThanOrEqual, Or } from 'typeorm';
import { param } from './adapters/operators.js';
import type { Prepared, Row, Schema, SessionsAdapter, Where } from './adapters/sessions-adapter.js';
import type { Refused, TableEvents, Told } from './events/session-events.js';
import { SessionValidationError } from './errors/errors.js';
import { bothOf, translateFilters } from './session-filters.js';
import { type BaseSession, endFrom, extensionAt, isDue, isExpired, limitsOf, wasEnded } from './session.js';
import type { ResolvedOptions } from './sessions.options.js';
import type { Columns } from './adapters/conditions.js';
import { durationMs } from './duration.js';
import { LastUse } from './last-use.js';
import {
  type DefinedColumn,
  digestsOf,
  lastUseOf,
  reasonsOf,
  sessionColumns,
  type SessionsTableDefinition,
} from './table/definition.js';
import { candidateDigests } from './token/digest.js';
import { isWellFormedToken } from './token/parse.js';
import { SupersededTokens } from './superseded-tokens.js';
import { TokenLookUps } from './token-look-ups.js';

/** One table at run time: its options, its rows, and the queries that are compiled once. */
export class SessionsStore {
  readonly columns: Columns<DefinedColumn>;
  /** What is read of a row: all but the digest. */
  readonly selected: readonly string[];
  /** Null for every column that may be null: what a new row has where nothing else is said. */
  readonly unset: Readonly<Row>;
  /** Where the uses of sessions are noted, if the table keeps them. */
  readonly lastUse: LastUse | undefined;
  readonly #tokens: TokenLookUps;
  readonly #redigest: Prepared;
  readonly #extend: Prepared;
  readonly #limit: Prepared;
  readonly #superseded: SupersededTokens | undefined;
  /** By id, the extensions under way: requests of the same session write one together. */
  readonly #extending = new Map<string, Promise<BaseSession | null>>();

  constructor(
    readonly definition: SessionsTableDefinition,
    readonly entity: Schema,
    readonly adapter: SessionsAdapter,
    readonly options: ResolvedOptions,
    readonly now: () => Date,
    readonly events: TableEvents,
    useFailed: (error: unknown) => void,
  ) {
    this.columns = sessionColumns(definition);
    this.selected = [...this.columns.columns.keys()];
    const nullable = [...this.columns.columns.values()].filter((column) => column.nullable);
    this.unset = Object.fromEntries(nullable.map((column) => [column.property, null]));
    this.#tokens = this.#lookUps('authTokenDigest');
    if (definition.rotation) this.#superseded = new SupersededTokens(this, this.#lookUps('previousTokenDigest'));
    const lastUse = lastUseOf(definition);
    if (lastUse) {
      const { interval = '5m', ip = false, userAgent = false } = lastUse;
      const keep = { intervalMs: durationMs(interval)!, ip, userAgent };
      this.lastUse = new LastUse(adapter, entity, keep, (at) => this.validAt(at), useFailed);
    }
    this.#redigest = adapter.prepare('updateAll', entity, {
      set: { authTokenDigest: param('digest') },
      where: { id: param('id'), authTokenDigest: param('former') },
    });
    this.#extend = adapter.prepare('updateAll', entity, {
      set: { expiresAt: param('expiresAt'), updatedAt: param('now') },
      // A log-out meanwhile leaves an earlier end than the one that was seen. Not than now: its clock may be ahead of ours.
      where: {
        id: param('id'),
        ...this.#unrevoked,
        expiresAt: And(MoreThanOrEqual(param('seen')), LessThan(param('ifBefore'))),
      },
      often: true,
    });
    this.#limit = adapter.prepare('updateAll', entity, {
      set: { expiresAt: param('expiresAt'), updatedAt: param('now') },
      where: { id: param('id'), ...this.#unrevoked, expiresAt: IsNull() },
    });
  }

  #lookUps(column: string): TokenLookUps {
    const { adapter, entity, selected: select, options } = this;
    const together = options.coalesces && !adapter.init([entity]).inProcess;
    return new TokenLookUps({ adapter, entity, column, select, schemes: options.schemes.length }, together);
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
   * digest than new rows have gets theirs. `undefined` where there is none, `null` where an event has told why.
   */
  async findByToken(token: unknown, manager?: EntityManager): Promise<BaseSession | null | undefined> {
    const digests = this.digestsOf(token);
    const [digest] = digests;
    if (digest === undefined) return undefined;
    const inside = manager && this.on(manager);
    const row = await this.#tokens.find(digests, inside);
    const session = this.validFrom(row);
    if (session === null) return this.#superseded?.find(digests, inside);
    // Where rows may have an older digest than new ones, it tells which one it has.
    const stored = row!['authTokenDigest'] ?? digest;
    if (stored !== digest) await this.on(manager).execute(this.#redigest, { id: session.id, digest, former: stored });
    return session;
  }

  /** Tells why there is no valid session of a token, which is looked up for events only: a client is not told. */
  async tellRefusal(token: unknown, manager?: EntityManager): Promise<void> {
    if (this.events.wants('refused')) this.events.tell(await this.refusalOf(token, manager));
  }

  async refusalOf(token: unknown, manager?: EntityManager): Promise<Refused> {
    const digests = In(this.digestsOf(token));
    if (digests.value.length === 0) return { type: 'refused', reason: 'malformed' };
    const adapter = this.on(manager);
    const where = digestsOf(this.definition).map((column) => ({ [column]: digests }));
    const { rows } = await adapter.execute(adapter.prepare('all', this.entity, { where, select: this.selected }));
    const session = rows?.[0] && this.sessionFrom(rows[0]);
    if (!session) return { type: 'refused', reason: 'unknown' };
    return { type: 'refused', reason: session.revokedAt ? 'revoked' : 'expired', session };
  }

  /** What holds for the sessions that are valid at a time. */
  validAt(now: Date): Where {
    return { expiresAt: Or(IsNull(), MoreThan(now)), ...this.#unrevoked };
  }

  /** That nobody has revoked a session; nothing, where a revocation is an end like any other. */
  get #unrevoked(): Where {
    return this.definition.revocation ? { revokedAt: IsNull() } : {};
  }

  /**
   * That nothing has ended a session since this copy of it was read. Its end tells, not the time: a log-out leaves an
   * earlier one, and may have happened on a node whose clock is ahead of ours, or after our statement was made.
   */
  unendedSince({ expiresAt: seen }: { readonly expiresAt?: Date | null }, now: Date): Where {
    if (seen === undefined) return this.validAt(now);
    const end = seen === null ? IsNull() : Or(IsNull(), And(MoreThan(now), MoreThanOrEqual(seen)));
    return { ...this.#unrevoked, expiresAt: end };
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
    const reasons = reasonsOf(this.definition);
    if (!reasons.includes(reason))
      throw new SessionValidationError(this.table, { reason: `must be one of ${reasons.join(', ')}` });
    const now = this.now();
    const ended = this.definition.revocation ? { revokedAt: now, revokedReason: reason } : { expiresAt: now };
    const listening = this.events.wants('revoked');
    const prepared = adapter.prepare('updateAll', this.entity, {
      set: { ...ended, updatedAt: now },
      where: bothOf(where, this.whereOf([{}])),
      ...(listening && { returning: this.selected }),
    });
    const { count, rows } = await adapter.execute(prepared);
    for (const row of rows ?? []) tell({ type: 'revoked', session: this.sessionFrom(row), reason });
    return count;
  }

  /** The session, extended by its table's lifetime where that is worth a write; `null` where it ended meanwhile. */
  async extendIfDue(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    const now = this.now();
    const extension = extensionAt(now, limitsOf(session, this.options));
    if (session.isExpired || !isDue(session.expiresAt, extension, now) || wasEnded(session)) return session;
    const params = { id: session.id, now, seen: session.expiresAt, ...extension };
    const extend = (): Promise<BaseSession | null> => this.#extended(session, this.#extend, params, manager);
    if (manager) return extend();
    const running = this.#extending.get(session.id);
    const extended = running ?? extend().finally(() => this.#extending.delete(session.id));
    if (!running) this.#extending.set(session.id, extended);
    const { expiresAt, updatedAt } = (await extended) ?? {};
    // Each keeps its own copy of the rest.
    return updatedAt ? { ...session, expiresAt: expiresAt!, updatedAt } : null;
  }

  /**
   * The session as it is now, with its lifetime begun anew where that is worth a write, also where it had no end; `null`
   * where it has ended. The caller's copy may be old, so only its id, and whether it had an end, is relied on.
   */
  async refresh(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    const current = await this.findValid(session, manager);
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
    if (count === 0) return this.findValid(session, manager);
    const { expiresAt, now: updatedAt } = params;
    const extended = { ...session, expiresAt, updatedAt };
    this.events.tell({ type: 'refreshed', session: extended });
    return extended;
  }

  /** A session as it is now, with the relations it had; `null` where it has ended. */
  async findValid(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    const adapter = this.on(manager);
    const where = { id: session.id, ...this.validAt(this.now()) };
    const { rows } = await adapter.execute(adapter.prepare('all', this.entity, { where, select: this.selected }));
    const found = this.validFrom(rows?.[0]);
    return found && { ...session, ...found };
  }

  /** The row that was found, unless the session ended while the query was on its way. */
  validFrom(row: Row | undefined): BaseSession | null {
    const session = row ? this.sessionFrom(row) : null;
    return session === null || session.isExpired || wasEnded(session) ? null : session;
  }

  /** A row of the table as a session. */
  sessionFrom(row: Row): BaseSession {
    const session = withoutDigests(row) as Row & Omit<BaseSession, 'isExpired'>;
    const now = this.now();
    const { absoluteEnd } = limitsOf(session, this.options);
    const isOver = isExpired(session.expiresAt, now) || isExpired(absoluteEnd, now) || Boolean(session.revokedAt);
    // Rows from before the table had scopes have none.
    return { ...session, isExpired: isOver, ...(session.scopes === null && { scopes: [] }) };
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

/** Relations come with whole rows, and a digest is on no session. */
function withoutDigests(row: Row): Row {
  if (!('authTokenDigest' in row || 'previousTokenDigest' in row)) return row;
  const { authTokenDigest: _, previousTokenDigest: __, ...session } = row;
  return session;
}
