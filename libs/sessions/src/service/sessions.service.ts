import type { EntityManager } from 'typeorm';
import { Not } from 'typeorm';
import type { Observable } from 'rxjs';
import { create } from '../lifecycle/create.js';
import {
  SessionNotFoundError,
  SessionsConfigError,
  SessionValidationError,
  StaleSessionError,
} from '../errors/errors.js';
import type { SessionEvent, SessionEventOf, SessionEventType } from '../events/session-event.js';
import { knownOptions } from '../errors/known-options.js';
import { isObject } from '../errors/option-types.js';
import type { ClientRequest } from '../http/client-address.js';
import { SESSION_USE, type SessionUse, useOf } from '../lifecycle/last-use.js';
import { type Diagnosis, examine } from '../lifecycle/doctor.js';
import { pruneExpired } from '../lifecycle/prune.js';
import type { RevocationReason } from '../session/revocation-reasons.js';
import type { BaseSession } from '../session/session.js';
import { patchData, update } from '../lifecycle/update.js';
import {
  AUTHENTICATE_OPTIONS,
  type AuthenticateOptions,
  CREATE_OPTIONS,
  type CreateOptions,
  type FindOptions,
  GET_OPTIONS,
  type GetOptions,
  LIST_OPTIONS,
  type ListOptions,
  REVOKE_OPTIONS,
  type RevokeOptions,
  type SessionReference,
  SIGN_IN_OPTIONS,
  type SignInOptions,
  UPDATE_OPTIONS,
  type UpdateOptions,
  type WithIsCurrent,
  WRITE_OPTIONS,
  type WriteOptions,
} from './call-options.js';
import { madeByNest, NO_REQUEST, optionNeeded, requestNeedsLastUse } from './messages.js';
import { SessionQuery } from './session-query.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { JsonValue } from '../table/fields.js';
import type { AnyFields, TableFields } from '../table/table-fields.js';
import type {
  ColumnName,
  NewSession,
  ReasonOf,
  RelationName,
  Session,
  SessionChanges,
  SessionFilters,
  WithToken,
} from '../table/inferred-types.js';
import { whereOf } from '../lifecycle/filters.js';
import { reauthenticate } from '../lifecycle/reauthenticate.js';
import type { SessionWithToken } from '../lifecycle/replace-token.js';
import { expire, revoke, take } from '../lifecycle/revoke.js';
import { rotateToken } from '../lifecycle/rotate.js';
import { adapterIn, transactionOf } from '../lifecycle/table-context.js';

/**
 * The sessions of one table. A class made by `SessionsTable` is such a service with the fields of its table; injected as
 * `SessionsService` itself it is the default table's.
 *
 * @typeParam F what the compiler knows of the table's fields; `Sessions['fields']`, say
 * @example
 * ```ts
 * @Injectable()
 * export class DeviceService {
 *   constructor(private readonly sessions: Sessions) {}
 *
 *   devicesOf(userId: string) {
 *     return this.sessions.list({ userId });
 *   }
 * }
 * ```
 */
export class SessionsService<F extends AnyFields = TableFields> {
  /** The table behind the service. */
  protected get store(): SessionsStore {
    throw new SessionsConfigError([madeByNest(this.constructor.name)]);
  }

  /** What the compiler knows of the fields; nothing at run time. */
  declare readonly fields: F;

  /**
   * Begins a session. The token on what is returned exists nowhere else: only its digest is stored. An `expiresAt` that is
   * given is the session's end however it is used, unless `extend` or a `ttl` says otherwise.
   *
   * @throws SessionValidationError naming every missing, unknown or wrong field; nothing is written
   * @throws UniqueConstraintError where a unique field has the value already
   * @example
   * ```ts
   * const session = await sessions.create({ userId: 'u1', data: { device: 'iPhone' } });
   * return { token: session.authToken };
   * ```
   */
  async create(attributes: NewSession<F>, options: CreateOptions = {}): Promise<WithToken<Session<F>>> {
    return this.signIn(attributes, knownOptions(this.store.name, options, CREATE_OPTIONS));
  }

  /**
   * Begins a session in place of the one that the request came with, so that nobody who planted or kept that one's token
   * is signed in with it (session fixation).
   *
   * @throws SessionLimitError where the owner has as many sessions as the table allows, and its limit rejects
   * @throws StaleCredentialsError where `provedAt` is not later than the last revocation of this owner for
   *   `'credentials_changed'` and a second, for clocks that differ, or is older than a day
   * @throws SessionsConfigError where there is a `request` and the table keeps no last use
   * @throws as {@link create}
   * @example
   * ```ts
   * const session = await sessions.signIn({ userId: 'u1' }, { replaces: presented, provedAt });
   * ```
   * @see OWASP ASVS 5.0, 7.2.4 and 7.4.3
   */
  async signIn(attributes: NewSession<F>, options: SignInOptions = {}): Promise<WithToken<Session<F>>> {
    const { request, ...known } = knownOptions(this.store.name, options, SIGN_IN_OPTIONS);
    const use = request === undefined ? undefined : this.#useOf(request);
    const manager = transactionOf(this.store, known.manager);
    return this.#withToken(await create(this.store, attributes, { ...known, manager, use }));
  }

  /**
   * Gives the valid session of a token, extended when that is due; `null` for any other text, which costs no query where
   * it cannot be a token. This is what the guard calls.
   *
   * @throws SessionsUnavailableError where the storage cannot answer now
   * @example
   * ```ts
   * const current = await sessions.authenticate(token);
   * ```
   */
  async authenticate(token: unknown, options?: AuthenticateOptions<RelationName<F>>): Promise<Session<F> | null> {
    // The guard's own options are known, so that no request pays for this.
    if (options !== undefined) {
      const { use = {} } = knownOptions(this.store.name, options, AUTHENTICATE_OPTIONS);
      knownOptions(this.store.name, use, SESSION_USE);
    }
    const manager = transactionOf(this.store, options?.manager);
    const looked = this.store.tokens.authenticate(token, { ...options, manager });
    const session = looked instanceof Promise ? await looked : looked;
    return session && this.#typed(session);
  }

  /**
   * Gives the session that matches, extended when that is due; `null` where none does.
   *
   * @throws MultipleSessionsError where more than one matches
   * @example
   * ```ts
   * const session = await sessions.get({ authToken: token });
   * ```
   */
  async get(filters: SessionFilters<F>, options: GetOptions<RelationName<F>> = {}): Promise<Session<F> | null> {
    const { autoExtend, relations, manager: given } = knownOptions(this.store.name, options, GET_OPTIONS);
    const manager = transactionOf(this.store, given) ?? null;
    const token = relations ? undefined : tokenAlone(filters);
    if (token !== undefined) return this.authenticate(token, { autoExtend, manager, authoritative: true });
    const found = await new SessionQuery<F>(this.store, [filters], { relations, manager }).one();
    if (!found || !(autoExtend ?? this.store.options.autoExtend)) return found;
    const extended = await this.store.extender.extendIfDue(found, manager ?? undefined);
    return extended && this.#typed(extended);
  }

  /** Gives the session that matches, as {@link get} does. @throws SessionNotFoundError where none matches */
  async getOrFail(filters: SessionFilters<F>, options: GetOptions<RelationName<F>> = {}): Promise<Session<F>> {
    const session = await this.get(filters, options);
    if (session === null) throw new SessionNotFoundError(this.store.name);
    return session;
  }

  /**
   * Gives the sessions that match, newest first.
   *
   * @throws SessionValidationError naming every unknown or wrong field
   * @example
   * ```ts
   * const latest = await sessions.list({ userId: 'u1', status: 'all' }, { take: 20 });
   * const devices = await sessions.list({ userId: session.userId }, { current: session });
   * ```
   */
  async list(
    filters: SessionFilters<F>,
    options: ListOptions<ColumnName<F>, RelationName<F>>,
  ): Promise<WithIsCurrent<Session<F>>[]>;
  /** Gives the sessions that match, newest first. @throws SessionValidationError naming every unknown or wrong field */
  async list(filters?: SessionFilters<F>, options?: FindOptions<ColumnName<F>, RelationName<F>>): Promise<Session<F>[]>;
  async list(
    filters: SessionFilters<F> = NO_FILTERS,
    options: Partial<ListOptions<ColumnName<F>, RelationName<F>>> = {},
  ): Promise<Session<F>[]> {
    return this.#list(filters, options);
  }

  /** Gives the valid sessions that match, whatever status the filters name, newest first. @throws SessionValidationError */
  async listValid(
    filters: SessionFilters<F>,
    options: ListOptions<ColumnName<F>, RelationName<F>>,
  ): Promise<WithIsCurrent<Session<F>>[]>;
  /** Gives the valid sessions that match, newest first. @throws SessionValidationError */
  async listValid(
    filters?: SessionFilters<F>,
    options?: FindOptions<ColumnName<F>, RelationName<F>>,
  ): Promise<Session<F>[]>;
  async listValid(
    filters: SessionFilters<F> = NO_FILTERS,
    options: Partial<ListOptions<ColumnName<F>, RelationName<F>>> = {},
  ): Promise<Session<F>[]> {
    const sets = (Array.isArray(filters) ? filters : [filters]) as readonly object[];
    return this.#list(
      sets.map((set) => ({ ...set, status: 'valid' })),
      options,
    );
  }

  /**
   * Begins a query, to be filtered, sorted and paged in steps, and then read, counted, streamed, revoked or deleted.
   *
   * @example
   * ```ts
   * const phones = await sessions.query({ userId: 'u1' }).filter({ data: JsonPath(['device'], 'iPhone') }).count();
   * ```
   */
  query(
    filters: SessionFilters<F> = NO_FILTERS,
    options: FindOptions<ColumnName<F>, RelationName<F>> = {},
  ): SessionQuery<F> {
    return new SessionQuery<F>(this.store, [filters], options);
  }

  /**
   * Gives what the application keeps with a session, as it is now; for tables with `data: 'onDemand'`, whose sessions come
   * without it.
   *
   * @throws StaleSessionError where the session is gone
   * @example
   * ```ts
   * const { device } = await sessions.dataOf(session);
   * ```
   */
  async dataOf(
    session: SessionReference,
    options: Pick<AuthenticateOptions, 'manager'> = {},
  ): Promise<Record<string, unknown>> {
    const data = await this.store.dataOf(this.#idOf(session), this.#managerOf(options));
    if (data === undefined) throw new StaleSessionError(this.store.name, session.id);
    return data;
  }

  /** Counts the sessions that match. @throws SessionValidationError naming every unknown or wrong field */
  async count(filters: SessionFilters<F> = NO_FILTERS): Promise<number> {
    return this.query(filters).count();
  }

  /**
   * Extends a session: moves its end to now + `sessionTtl`, where that gains more than `extendSessionStaleTime`. A
   * session that never ends gets the table's idle timeout, which no use gives it.
   *
   * @throws StaleSessionError where the session has ended, or is gone
   */
  async refresh(session: Session<F>, options: WriteOptions = {}): Promise<Session<F>> {
    const refreshed = await this.store.extender.refresh(session, this.#managerOf(options));
    if (refreshed === null) throw new StaleSessionError(this.store.name, session.id);
    return this.#typed(refreshed);
  }

  /** Moves the end of a session to now, and tells whether it did: `false` where it had ended before, or is gone. */
  async expire(session: SessionReference, options: WriteOptions = {}): Promise<boolean> {
    const manager = this.#managerOf(options);
    return expire(this.store, this.#idOf(session), manager);
  }

  /**
   * Ends a session now; `false` where it had ended before, or is gone. A table with `revocation` keeps when and why for
   * the time of `retention`.
   *
   * @example
   * ```ts
   * await sessions.revoke(session, { reason: 'compromised' });
   * ```
   * @see OWASP ASVS 5.0, 7.4.1
   */
  async revoke(session: SessionReference, options: RevokeOptions<ReasonOf<F>> = {}): Promise<boolean> {
    const { store } = this;
    const { reason = DEFAULT_REASON, manager } = knownOptions(store.name, options, REVOKE_OPTIONS);
    const adapter = adapterIn(store, transactionOf(store, manager));
    return (await revoke(store, { id: this.#idOf(session) }, reason, adapter)) > 0;
  }

  /**
   * Ends the valid ones of the sessions that match, in one statement, and returns how many there were.
   *
   * For the reason `'credentials_changed'`, a table with an `owner` notes that of the owners, whom the filters name, for
   * sign-ins that are under way: in the transaction that changes the credentials, and before it changes them.
   *
   * @throws SessionValidationError for `'credentials_changed'` where the filters name the owner by no value or `In`
   * @throws SessionsConfigError for that where the data source has no table of marks; it has the statement that makes it
   * @example
   * ```ts
   * await sessions.revokeAll({ userId: 'u1' }, { reason: 'credentials_changed' });
   * ```
   * @see OWASP ASVS 5.0, 7.4.2, 7.4.3 and 7.4.5
   */
  async revokeAll(filters: SessionFilters<F>, options: RevokeOptions<ReasonOf<F>> = {}): Promise<number> {
    return this.#revoke([filters], options);
  }

  /**
   * Ends the other sessions that match, such as those of the same user: as {@link revokeAll}, but for this one.
   *
   * @example
   * ```ts
   * await sessions.revokeOthers(session, { userId: session.userId });
   * ```
   */
  async revokeOthers(
    session: SessionReference,
    filters: SessionFilters<F>,
    options: RevokeOptions<ReasonOf<F>> = {},
  ): Promise<number> {
    return this.#revoke([filters, { id: Not(this.#idOf(session)) }], options);
  }

  /**
   * Gives a session a new token. The one before is honoured for the grace period, `rotationGrace`, for requests that are under
   * way; after that its use ends the session with the reason `'token_reuse'`, since only a thief, or their victim, still
   * has it. `null` where another request has replaced the token first, or within the grace period: its answer carries the
   * new one.
   *
   * Needs `rotation: true` in the definition of the table.
   *
   * @throws StaleSessionError where the session has ended, or is gone
   * @example
   * ```ts
   * const rotated = await sessions.rotate(session);
   * return { token: rotated?.authToken };
   * ```
   */
  async rotate(session: Session<F>, options: WriteOptions = {}): Promise<WithToken<Session<F>> | null> {
    this.#needs('rotation', 'rotate');
    const manager = this.#managerOf(options);
    const rotated = await rotateToken(this.store, session, manager);
    return rotated && this.#withToken(rotated);
  }

  /**
   * Gives a session whose owner has just proved again who they are a new token, against session fixation, and begins its
   * timeouts anew. The token before is refused from now on.
   *
   * Needs `freshness: true` in the definition of the table.
   *
   * @throws StaleSessionError where the session has ended, is gone, or was reauthenticated by another request meanwhile
   * @see OWASP ASVS 5.0, 7.2.4
   */
  async reauthenticate(session: Session<F>, options: WriteOptions = {}): Promise<WithToken<Session<F>>> {
    this.#needs('freshness', 'reauthenticate');
    const manager = this.#managerOf(options);
    return this.#withToken(await reauthenticate(this.store, session, manager));
  }

  /**
   * Changes a session in one statement and returns it as it is now. A change of `expiresAt` needs a session that is
   * still valid, for nothing revives one; and no use of the session moves that end, unless `extend` says so.
   *
   * @throws SessionValidationError naming every unknown, immutable or wrong field; nothing is written
   * @throws StaleSessionError where the session is gone, has ended and is to get a new end, or has changed since it was
   *   read and is to be changed only as it was then (`ifUnchanged`)
   */
  async update(
    session: SessionReference,
    changes: SessionChanges<F>,
    options: UpdateOptions = {},
  ): Promise<Session<F>> {
    const known = knownOptions(this.store.name, options, UPDATE_OPTIONS);
    this.#idOf(session);
    const manager = transactionOf(this.store, known.manager);
    return this.#typed(await update(this.store, session, changes, { ...known, manager }));
  }

  /**
   * Replaces single keys of a session's `data`, each of them whole, and leaves the others as they are in the database now:
   * two requests that change different keys at the same time undo nothing of each other. `null` is a value like any other,
   * and `undefined` takes the key away. Returns the session as it is now.
   *
   * @throws SessionValidationError naming every key whose value is no JSON, or `data` where it would have more bytes than
   *   `maxDataSize`; nothing is written
   * @throws StaleSessionError where the session is gone
   * @example
   * ```ts
   * await sessions.patchData(session, { cart: ['shoe'], coupon: undefined });
   * ```
   */
  async patchData(
    session: SessionReference,
    changes: Readonly<Record<string, JsonValue | undefined>>,
    options: WriteOptions = {},
  ): Promise<Session<F>> {
    const manager = this.#managerOf(options);
    this.#idOf(session);
    return this.#typed(await patchData(this.store, session, changes, manager));
  }

  /** Deletes a session, and tells whether it did: `false` where it is gone already. */
  async delete(session: SessionReference, options: WriteOptions = {}): Promise<boolean> {
    const filters = { id: this.#idOf(session), status: 'all' };
    return (await new SessionQuery(this.store, [filters], this.#knownWrite(options)).delete()) > 0;
  }

  /** Deletes a session. @throws StaleSessionError where it is gone already */
  async deleteOrFail(session: SessionReference, options: WriteOptions = {}): Promise<void> {
    if (!(await this.delete(session, options))) throw new StaleSessionError(this.store.name, session.id);
  }

  /**
   * Deletes the sessions that match, in one statement, and returns how many there were.
   *
   * @example
   * ```ts
   * await sessions.deleteAll({ userId: 'u1' }); // signed out everywhere
   * await sessions.deleteAll({ userId: 'u1', id: Not(session.id) }); // on all other devices
   * ```
   */
  async deleteAll(filters: SessionFilters<F>, options: WriteOptions = {}): Promise<number> {
    // Not by query(), where filters may be left out: what to delete has to be said.
    return new SessionQuery<F>(this.store, [filters], this.#knownWrite(options)).delete();
  }

  /** Deletes every session that has ended, in batches, and returns their number; pruning, as the expiry job does it. */
  async deleteExpired(): Promise<number> {
    return pruneExpired(this.store, this.store.adapter);
  }

  /**
   * Looks at the table as it is in the database now, as the start does with `checkTable`, and gives what it finds: for health
   * checks and command lines. A table that is not there is a problem by now.
   *
   * @throws the driver's error where there is no connection
   * @example
   * ```ts
   * const { ok, problems, warnings } = await sessions.doctor();
   * if (!ok) console.error(problems.map(({ text }) => text));
   * ```
   */
  async doctor(): Promise<Diagnosis> {
    return examine(this.store);
  }

  /** What happens to the sessions of this table, as it happens. */
  get events(): Observable<SessionEvent<Session<F>>> {
    return this.store.events.all as Observable<SessionEvent<never>>;
  }

  /**
   * Those of some types, so that nothing is made ready for the others.
   *
   * @throws TypeError for a type that there is not
   * @example
   * ```ts
   * sessions.eventsOf('revoked').subscribe(({ session, reason }) => console.log(session.userId, reason));
   * ```
   */
  eventsOf<const T extends SessionEventType>(
    ...types: readonly [T, ...T[]]
  ): Observable<SessionEventOf<T, Session<F>>> {
    return this.store.events.only(types) as Observable<SessionEventOf<T, never>>;
  }

  /**
   * Ends the valid session of a token and gives it back as it is then, or `null`: of all who come with the token exactly one
   * gets it. For what may be used once, such as the link that signs somebody in, or resets a password. Nothing is extended,
   * and no use noted.
   *
   * @throws SessionValidationError for a reason that the table does not have
   * @example
   * ```ts
   * const link = await sessions.takeOnce({ authToken: token });
   * if (link === null) throw new ForbiddenException();
   * ```
   * @see OWASP ASVS 5.0, 6.5.1
   */
  async takeOnce(
    filters: { readonly authToken: unknown },
    options: RevokeOptions<ReasonOf<F>> = {},
  ): Promise<Session<F> | null> {
    const { store } = this;
    const { authToken } = knownOptions(store.name, filters, { authToken: true });
    const { reason, manager } = knownOptions(store.name, options, REVOKE_OPTIONS);
    const where = whereOf(store, [{ authToken: authToken ?? null, status: 'all' }]);
    const adapter = adapterIn(store, transactionOf(store, manager));
    const taken = await take(store, where, reason ?? DEFAULT_REASON, adapter);
    return taken && this.#typed(taken);
  }

  async #list(filters: object, options: Partial<ListOptions<ColumnName<F>, RelationName<F>>>): Promise<Session<F>[]> {
    const { current, order, take, skip, relations, manager } = knownOptions(this.store.name, options, LIST_OPTIONS);
    const id = current && this.#idOf(current);
    const find = { order, take, skip, relations, manager } as FindOptions<ColumnName<F>, RelationName<F>>;
    const found = await new SessionQuery<F>(this.store, [filters], find).all();
    return id === undefined ? found : found.map((session) => ({ ...session, isCurrent: session.id === id }));
  }

  async #revoke(steps: readonly object[], options: RevokeOptions<ReasonOf<F>>): Promise<number> {
    const { reason, manager } = knownOptions(this.store.name, options, REVOKE_OPTIONS);
    const query = new SessionQuery<F>(this.store, steps, { manager });
    return query.revoke({ reason: reason ?? (DEFAULT_REASON as ReasonOf<F>) });
  }

  /** The transaction of a call that has no other options. @throws SessionValidationError for others */
  #managerOf(options: WriteOptions): EntityManager | undefined {
    return transactionOf(this.store, this.#knownWrite(options).manager);
  }

  #knownWrite(options: WriteOptions): WriteOptions {
    return knownOptions(this.store.name, options, WRITE_OPTIONS);
  }

  /** @throws SessionValidationError for what is no id, which must never mean "any" */
  #idOf({ id }: SessionReference): string {
    if (typeof id === 'string') return id;
    throw new SessionValidationError(this.store.name, { id: 'must be the id of a session' });
  }

  #withToken({ session, authToken }: SessionWithToken): WithToken<Session<F>> {
    // On a copy: the session may have been told as an event.
    const withToken: unknown = Object.defineProperty({ ...session }, 'authToken', { value: authToken });
    return withToken as WithToken<Session<F>>;
  }

  #useOf(request: ClientRequest): SessionUse {
    if (!this.store.lastUse) throw new SessionsConfigError([requestNeedsLastUse(this.store.name)]);
    if (isObject(request) && isObject(request.headers)) return useOf(request);
    throw new SessionValidationError(this.store.name, { request: NO_REQUEST });
  }

  #needs(option: 'rotation' | 'freshness', call: string): void {
    const { definition, name: table } = this.store;
    if (!definition[option]) throw new SessionsConfigError([optionNeeded(table, call, option)]);
  }

  /** The store knows no field types; the table's definition, from which both come, does. */
  #typed(session: BaseSession): Session<F> {
    const typed: unknown = session;
    return typed as Session<F>;
  }
}

const NO_FILTERS = {} as never;
const DEFAULT_REASON: RevocationReason = 'signed_out';

/** The token of filters that name nothing else. */
function tokenAlone(filters: object): string | undefined {
  const { authToken, ...others } = { ...filters } as { authToken?: unknown };
  return typeof authToken === 'string' && Object.keys(others).length === 0 ? authToken : undefined;
}
