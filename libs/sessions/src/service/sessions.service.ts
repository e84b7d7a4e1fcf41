import type { EntityManager } from 'typeorm';
import { Not } from 'typeorm';
import type { Observable } from 'rxjs';
import { create } from '../lifecycle/create.js';
import {
  type FieldErrors,
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
  type PlainListOptions,
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
import {
  madeByNest,
  NO_ID,
  NO_REQUEST,
  NO_SESSION,
  NOT_AS_READ,
  optionNeeded,
  requestNeedsLastUse,
} from './messages.js';
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
 * The sessions of one table. A class made by `SessionsTable` is such a service, with the fields of its table. Injected as
 * `SessionsService` itself, it is the service of the default table.
 *
 * @typeParam F what the compiler knows of the table's fields, such as `Sessions['fields']`
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
  /** The table behind this service. */
  protected get store(): SessionsStore {
    throw new SessionsConfigError([madeByNest(this.constructor.name)]);
  }

  /** The field types, for the compiler only; absent at run time. */
  declare readonly fields: F;

  /**
   * Creates a session. Only the returned session has the token; the table stores its digest. An `expiresAt` that you give
   * is final, however the session is used, unless `extend` or a `ttl` says otherwise.
   *
   * @throws SessionValidationError naming every missing, unknown or wrong field; nothing is written
   * @throws UniqueConstraintError if another row already has the value of a unique field
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
   * Creates a session in place of the one that the request came with, so that nobody who planted or kept that one's token
   * is signed in (session fixation).
   *
   * @throws SessionLimitError if the owner has as many sessions as the table allows, and the limit rejects one more
   * @throws StaleCredentialsError if `provedAt` is not more than a second after the last revocation of this owner for
   *   `'credentials_changed'` (clocks may differ), or is more than a day ago
   * @throws SessionsConfigError if you pass a `request` and the table records no last use
   * @throws as {@link create}
   * @example
   * ```ts
   * const session = await sessions.signIn({ userId: 'u1' }, { replaces: presented, provedAt });
   * ```
   * @see OWASP ASVS 5.0, 7.2.4 and 7.4.3
   */
  async signIn(attributes: NewSession<F>, options: SignInOptions = {}): Promise<WithToken<Session<F>>> {
    const { request, ...known } = knownOptions(this.store.name, options, SIGN_IN_OPTIONS);
    // Otherwise the session of that client would go on.
    if (known.replaces !== undefined && known.replaces !== null) this.#idOf(known.replaces, { replaces: NO_SESSION });
    const use = request === undefined ? undefined : this.#useOf(request);
    const manager = transactionOf(this.store, known.manager);
    return this.#withToken(await create(this.store, attributes, { use, ...known, manager }));
  }

  /**
   * Returns the valid session of a token, extended when that is due, or `null` for any other text. Text that cannot be a
   * token costs no query. This is what the guard calls.
   *
   * @throws SessionsUnavailableError if the storage cannot answer now
   * @example
   * ```ts
   * const current = await sessions.authenticate(token);
   * ```
   */
  async authenticate(token: unknown, options?: AuthenticateOptions<RelationName<F>>): Promise<Session<F> | null> {
    // The guard bypasses this check, so that no request pays for it.
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
   * Returns the session that matches, extended when that is due, or `null` if none does.
   *
   * @throws MultipleSessionsError if more than one matches
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

  /** Returns the session that matches, like {@link get}. @throws SessionNotFoundError if none matches */
  async getOrFail(filters: SessionFilters<F>, options: GetOptions<RelationName<F>> = {}): Promise<Session<F>> {
    const session = await this.get(filters, options);
    if (session === null) throw new SessionNotFoundError(this.store.name);
    return session;
  }

  /**
   * Returns the sessions that match, newest first.
   *
   * @throws SessionValidationError naming every unknown or wrong field
   * @example
   * ```ts
   * const latest = await sessions.list({ userId: 'u1', status: 'all' }, { take: 20 });
   * const devices = await sessions.list({ userId: session.userId }, { current: session });
   * ```
   */
  async list(
    filters?: SessionFilters<F>,
    options?: PlainListOptions<ColumnName<F>, RelationName<F>>,
  ): Promise<Session<F>[]>;
  /** Returns the sessions that match, newest first. @throws SessionValidationError naming every unknown or wrong field */
  async list(
    filters: SessionFilters<F>,
    options: ListOptions<ColumnName<F>, RelationName<F>>,
  ): Promise<WithIsCurrent<Session<F>>[]>;
  async list(
    filters: SessionFilters<F> = NO_FILTERS,
    options: Partial<ListOptions<ColumnName<F>, RelationName<F>>> = {},
  ): Promise<Session<F>[]> {
    return this.#list(filters, options);
  }

  /** Returns the valid sessions that match, whatever status the filters name, newest first. @throws SessionValidationError */
  async listValid(
    filters?: SessionFilters<F>,
    options?: PlainListOptions<ColumnName<F>, RelationName<F>>,
  ): Promise<Session<F>[]>;
  /** Returns the valid sessions that match, newest first. @throws SessionValidationError */
  async listValid(
    filters: SessionFilters<F>,
    options: ListOptions<ColumnName<F>, RelationName<F>>,
  ): Promise<WithIsCurrent<Session<F>>[]>;
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
   * Starts a query. Filter, sort and page it in steps, then read, count, stream, revoke or delete its sessions.
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
   * Returns the current `data` of a session, for tables with `data: 'onDemand'`, whose sessions come without it.
   *
   * @throws StaleSessionError if the session is gone
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
   * Extends a session: moves its end to now + `sessionTtl` if that gains more than `extendSessionStaleTime`. A session that
   * never ends gets the table's idle timeout, which use alone never gives it.
   *
   * @throws StaleSessionError if the session has ended, or is gone
   */
  async refresh(session: Session<F>, options: WriteOptions = {}): Promise<Session<F>> {
    const manager = this.#managerOf(options);
    this.#idOf(session);
    const refreshed = await this.store.extender.refresh(session, manager);
    if (refreshed === null) throw new StaleSessionError(this.store.name, session.id);
    return this.#typed(refreshed);
  }

  /** Moves the end of a session to now. Returns `false` if it had already ended, or is gone. */
  async expire(session: SessionReference, options: WriteOptions = {}): Promise<boolean> {
    const manager = this.#managerOf(options);
    return expire(this.store, this.#idOf(session), manager);
  }

  /**
   * Ends a session now. Returns `false` if it had already ended, or is gone. A table with `revocation` stores when and why,
   * for the time of `retention`.
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
   * Ends the valid sessions among those that match, in one statement, and returns how many there were.
   *
   * For the reason `'credentials_changed'`, a table with an `owner` notes the change for sign-ins that are under way. The
   * filters must name the owners. Call it in the transaction that changes the credentials, before it changes them.
   *
   * @throws SessionValidationError for `'credentials_changed'` if the filters name the owner by neither a value nor `In`
   * @throws SessionsConfigError for that if the data source has no table of marks; it has the statement that creates it
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
   * Ends the other sessions that match, such as those of the same user: like {@link revokeAll}, except this one.
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
   * Gives a session a new token. The old one still works during the grace period, `rotationGrace`, for requests that are
   * under way. After that, its use ends the session with the reason `'token_reuse'`, because only a thief, or their victim,
   * still has it. Returns `null` if another request has replaced the token first, or within the grace period: its answer
   * carries the new one.
   *
   * Needs `rotation: true` in the definition of the table.
   *
   * @throws StaleSessionError if the session has ended, or is gone
   * @example
   * ```ts
   * const rotated = await sessions.rotate(session);
   * return { token: rotated?.authToken };
   * ```
   */
  async rotate(session: Session<F>, options: WriteOptions = {}): Promise<WithToken<Session<F>> | null> {
    this.#needs('rotation', 'rotate');
    const manager = this.#managerOf(options);
    const rotated = await rotateToken(this.store, this.#asRead(session), manager);
    return rotated && this.#withToken(rotated);
  }

  /**
   * Gives a session a new token after its owner has proved again who they are (against session fixation), and starts its
   * timeouts again. The old token is refused from now on.
   *
   * Needs `freshness: true` in the definition of the table.
   *
   * @throws StaleSessionError if the session has ended, is gone, or another request has reauthenticated it meanwhile
   * @see OWASP ASVS 5.0, 7.2.4
   */
  async reauthenticate(session: Session<F>, options: WriteOptions = {}): Promise<WithToken<Session<F>>> {
    this.#needs('freshness', 'reauthenticate');
    const manager = this.#managerOf(options);
    return this.#withToken(await reauthenticate(this.store, this.#asRead(session), manager));
  }

  /**
   * Changes a session in one statement and returns the updated session. A new `expiresAt` needs a session that is still
   * valid, because nothing revives one. No use of the session moves that end, unless `extend` says so.
   *
   * @throws SessionValidationError naming every unknown, immutable or wrong field; nothing is written
   * @throws StaleSessionError if the session is gone, if it has ended and you set a new end, or if it has changed since it
   *   was read and you set `ifUnchanged`
   */
  async update(
    session: SessionReference,
    changes: SessionChanges<F>,
    options: UpdateOptions = {},
  ): Promise<Session<F>> {
    const { manager: given, ifUnchanged, extend } = knownOptions(this.store.name, options, UPDATE_OPTIONS);
    this.#idOf(session);
    const manager = transactionOf(this.store, given);
    return this.#typed(await update(this.store, session, changes, { manager, ifUnchanged, extend }));
  }

  /**
   * Replaces single keys of a session's `data`, each of them whole, and leaves the others as they are in the database now. So
   * two requests that change different keys at the same time do not overwrite each other. `null` is a value like any other,
   * and `undefined` removes the key. Returns the updated session.
   *
   * @throws SessionValidationError naming every key whose value is no JSON, or `data` if it would have more bytes than
   *   `maxDataSize`; nothing is written
   * @throws StaleSessionError if the session is gone
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

  /** Deletes a session. Returns `false` if it is already gone. */
  async delete(session: SessionReference, options: WriteOptions = {}): Promise<boolean> {
    const filters = { id: this.#idOf(session), status: 'all' };
    return (await new SessionQuery(this.store, [filters], this.#knownWrite(options)).delete()) > 0;
  }

  /** Deletes a session. @throws StaleSessionError if it is already gone */
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
    // Not query(), where filters are optional: a deletion must name what to delete.
    return new SessionQuery<F>(this.store, [filters], this.#knownWrite(options)).delete();
  }

  /** Deletes every session that has ended, in batches, and returns how many: pruning, like the expiry job. */
  async deleteExpired(): Promise<number> {
    return pruneExpired(this.store, this.store.adapter);
  }

  /**
   * Checks the table as it is in the database now, like the start does with `checkTable`, and returns the findings, for health
   * checks and command lines. A missing table is a problem here.
   *
   * @throws the driver's error if there is no connection
   * @example
   * ```ts
   * const { ok, problems, warnings } = await sessions.doctor();
   * if (!ok) console.error(problems.map(({ text }) => text));
   * ```
   */
  async doctor(): Promise<Diagnosis> {
    return examine(this.store);
  }

  /** The events of this table, as they happen. */
  get events(): Observable<SessionEvent<Session<F>>> {
    return this.store.events.all as Observable<SessionEvent<never>>;
  }

  /**
   * The events of some types; the others then cost nothing.
   *
   * @throws TypeError for an unknown type
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
   * Ends the valid session of a token and returns it, now ended, or `null`. Of all callers with that token exactly one gets it.
   * Use it for what works once, such as a link that signs somebody in, or resets a password. It extends nothing and notes no
   * use.
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

  /** The transaction of a call without other options. @throws SessionValidationError for other options */
  #managerOf(options: WriteOptions): EntityManager | undefined {
    return transactionOf(this.store, this.#knownWrite(options).manager);
  }

  #knownWrite(options: WriteOptions): WriteOptions {
    return knownOptions(this.store.name, options, WRITE_OPTIONS);
  }

  /** @throws SessionValidationError for anything but an id: a missing one must never mean "any" */
  #idOf(session: SessionReference, errors: FieldErrors = { id: NO_ID }): string {
    const id: unknown = isObject(session) ? session.id : undefined;
    if (typeof id === 'string') return id;
    throw new SessionValidationError(this.store.name, errors);
  }

  /** @throws SessionValidationError for a session that does not say when it was last written, such as one that was JSON */
  #asRead(session: Session<F>): Session<F> {
    this.#idOf(session);
    if (session.updatedAt instanceof Date) return session;
    throw new SessionValidationError(this.store.name, { updatedAt: NOT_AS_READ });
  }

  #withToken({ session, authToken }: SessionWithToken): WithToken<Session<F>> {
    // A copy, since an event may already have published the session.
    const withToken: unknown = Object.defineProperty(Object.assign({}, session), 'authToken', { value: authToken });
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

  /** The store knows no field types, but the table's definition, from which both come, does. */
  #typed(session: BaseSession): Session<F> {
    const typed: unknown = session;
    return typed as Session<F>;
  }
}

const NO_FILTERS = {} as never;
const DEFAULT_REASON: RevocationReason = 'signed_out';

/** The token, if the filters name nothing else. */
function tokenAlone(filters: object): string | undefined {
  const { authToken, ...others } = { ...filters } as { authToken?: unknown };
  return typeof authToken === 'string' && Object.keys(others).length === 0 ? authToken : undefined;
}
