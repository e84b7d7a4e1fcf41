import type { EntityManager } from 'typeorm';
import { And, IsNull, MoreThan, MoreThanOrEqual, Or } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Row, Where } from './adapters/sessions-adapter.js';
import { SessionNotFoundError, SessionsConfigError, StaleEntryError, StaleSessionError } from './errors/errors.js';
import type { SessionUse } from './last-use.js';
import { type OwnLimits, storedLimits } from './own-limits.js';
import { pruneExpired } from './pruning/prune.js';
import { type BaseSession, earlier, endFrom, limitsOf } from './session.js';
import { type FindOptions, SessionQuery } from './session-query.js';
import type { SessionsStore } from './sessions.store.js';
import { changedAttributes, newAttributes } from './table/attributes.js';
import type { ExtraFields, NewSession, Session, SessionChanges, SessionFilters, WithToken } from './table/fields.js';
import { digestToken } from './token/digest.js';
import { generateToken } from './token/generate.js';

/** Where a write happens. */
export interface WriteOptions {
  /** The caller's transaction: the write is part of it. */
  manager?: EntityManager;
}

/** How one session is read. */
export interface GetOptions<F extends ExtraFields = ExtraFields> extends Pick<FindOptions<F>, 'relations' | 'manager'> {
  /** Whether a session whose extension is due is extended. Default: the table's `autoExtendSession`. */
  autoExtend?: boolean;
}

/** How a token is looked up. */
export interface AuthenticateOptions<F extends ExtraFields = ExtraFields> extends Omit<GetOptions<F>, 'relations'> {
  /** From where the token comes, for a table with `lastUse`; the guard gives it. */
  use?: SessionUse;
}

/** A session to work on: its id is enough, and with its end a write that moves the end can tell whether it was ended. */
export interface SessionReference {
  readonly id: string;
  readonly expiresAt?: Date | null;
}

/**
 * The sessions of one table. A class made by `SessionsTable` is such a service with the fields of its table; injected as
 * `SessionsService` itself it is the default table's.
 *
 * @typeParam F the extra fields of the table
 */
export class SessionsService<F extends ExtraFields = ExtraFields> {
  /** The table behind the service. */
  protected get store(): SessionsStore {
    throw new SessionsConfigError([
      `${this.constructor.name} is made by Nest: import SessionsModule.forFeature(…) and inject it`,
    ]);
  }

  /** The extra fields, for the compiler only. */
  declare readonly fields?: F;

  /**
   * Begins a session. The token on what is returned exists nowhere else: only its digest is stored.
   *
   * @throws SessionValidationError naming every missing, unknown or wrong field; nothing is written
   * @throws UniqueConstraintError where a unique field has the value already
   * @example
   * ```ts
   * const session = await sessions.create({ userId: 'u1', data: { device: 'iPhone' } });
   * return { token: session.authToken };
   * ```
   */
  async create(
    attributes: NewSession<F>,
    { manager, ...own }: WriteOptions & OwnLimits = {},
  ): Promise<WithToken<Session<F>>> {
    const { store } = this;
    const now = store.now();
    const authToken = generateToken(store.options.tokenFormat);
    const given = newAttributes(store.columns, attributes);
    const stored = storedLimits(store, own, now);
    const limits = limitsOf({ createdAt: now, ...stored }, store.options);
    const row: Row = {
      id: uuidv7(),
      ...store.unset,
      ...given,
      ...stored,
      expiresAt:
        'expiresAt' in given ? earlier(given['expiresAt'] as Date | null, limits.absoluteEnd) : endFrom(now, limits),
      createdAt: now,
      updatedAt: now,
    };
    await store
      .on(manager)
      .insert(
        store.entity,
        { ...row, authTokenDigest: digestToken(authToken, store.options.schemes[0]) },
        { returning: [] },
      );
    const session: unknown = Object.defineProperty(store.sessionFrom(row), 'authToken', { value: authToken });
    return session as WithToken<Session<F>>;
  }

  /**
   * The valid session of a token, extended when that is due; `null` for any other text, which costs no query where it
   * cannot be a token. This is what the guard calls.
   */
  async authenticate(
    token: unknown,
    { autoExtend, manager, use = {} }: AuthenticateOptions<F> = {},
  ): Promise<Session<F> | null> {
    const found = await this.store.findByToken(token, manager);
    const session = await this.#extended(found, autoExtend, manager);
    if (found !== null && session !== null) this.store.lastUse?.note(found, use, this.store.now());
    return session;
  }

  /**
   * The session that matches, extended when that is due.
   *
   * @throws MultipleSessionsError where more than one matches
   * @example
   * ```ts
   * const session = await sessions.get({ authToken: token });
   * ```
   */
  async get(filters: SessionFilters<F>, { autoExtend, ...options }: GetOptions<F> = {}): Promise<Session<F> | null> {
    const token = options.relations ? undefined : tokenAlone(filters);
    if (token !== undefined) return this.authenticate(token, { autoExtend, manager: options.manager });
    const found = await new SessionQuery<F>(this.store, [filters], options).one();
    return this.#extended(found, autoExtend, options.manager);
  }

  /** As {@link get}. @throws SessionNotFoundError where none matches */
  async getOrFail(filters: SessionFilters<F>, options: GetOptions<F> = {}): Promise<Session<F>> {
    const session = await this.get(filters, options);
    if (session === null) throw new SessionNotFoundError(this.store.table);
    return session;
  }

  /** The sessions that match, newest first. */
  async list(filters: SessionFilters<F> = NO_FILTERS, options: FindOptions<F> = {}): Promise<Session<F>[]> {
    return this.query(filters, options).all();
  }

  /** The valid sessions that match, whatever status the filters name, newest first. */
  async listValid(filters: SessionFilters<F> = NO_FILTERS, options: FindOptions<F> = {}): Promise<Session<F>[]> {
    const sets = (Array.isArray(filters) ? filters : [filters]) as readonly object[];
    const valid = sets.map((set) => ({ ...set, status: 'valid' }));
    return new SessionQuery<F>(this.store, [valid], options).all();
  }

  /** A query to be put together further: filtered, sorted, paged, counted, deleted or streamed. */
  query(filters: SessionFilters<F> = NO_FILTERS, options: FindOptions<F> = {}): SessionQuery<F> {
    return new SessionQuery<F>(this.store, [filters], options);
  }

  /** How many sessions match. */
  async count(filters: SessionFilters<F> = NO_FILTERS): Promise<number> {
    return this.query(filters).count();
  }

  /**
   * The session with its end moved to now + `sessionTtl`, where that gains more than `extendSessionStaleTime`. A session
   * that never ends gets the table's lifetime, which no read gives it.
   *
   * @throws StaleSessionError where the session has ended, or is gone
   */
  async refresh(session: Session<F>, { manager }: WriteOptions = {}): Promise<Session<F>> {
    const refreshed = await this.store.refresh(session, manager);
    if (refreshed === null) throw new StaleSessionError(this.store.table, session.id);
    return this.#typed(refreshed);
  }

  /** Ends a session now; `false` where it had ended before, or is gone. */
  async expire({ id }: SessionReference, { manager }: WriteOptions = {}): Promise<boolean> {
    const { store } = this;
    const now = store.now();
    const adapter = store.on(manager);
    const ended = adapter.prepare('updateAll', store.entity, {
      set: { expiresAt: now, updatedAt: now },
      where: { id, ...validAt(now) },
    });
    return (await adapter.execute(ended)).count > 0;
  }

  /**
   * Changes a session in one statement and returns it as it is now. A change of `expiresAt` needs a session that is
   * still valid: nothing revives one.
   *
   * @throws SessionValidationError naming every unknown, immutable or wrong field; nothing is written
   * @throws StaleSessionError where the session is gone, or has ended and is to get a new end
   */
  async update(
    session: SessionReference,
    changes: SessionChanges<F>,
    { manager }: WriteOptions = {},
  ): Promise<Session<F>> {
    const { store } = this;
    const now = store.now();
    const attributes = changedAttributes(store.columns, changes);
    const where = { id: session.id, ...('expiresAt' in attributes && unendedSince(session, now)) };
    try {
      const row = await store
        .on(manager)
        .update(store.entity, { ...attributes, updatedAt: now }, where, store.selected);
      return this.#typed(store.sessionFrom(row));
    } catch (error) {
      if (error instanceof StaleEntryError) throw new StaleSessionError(store.table, session.id, { cause: error });
      throw error;
    }
  }

  /** Deletes a session; `false` where it is gone already. */
  async delete({ id }: SessionReference, { manager }: WriteOptions = {}): Promise<boolean> {
    return (await new SessionQuery(this.store, [{ id, status: 'all' }], { manager }).delete()) > 0;
  }

  /** As {@link delete}. @throws StaleSessionError where it is gone already */
  async deleteOrFail(session: SessionReference, options: WriteOptions = {}): Promise<void> {
    if (!(await this.delete(session, options))) throw new StaleSessionError(this.store.table, session.id);
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
  async deleteAll(filters: SessionFilters<F>, { manager }: WriteOptions = {}): Promise<number> {
    // Not by query(), where filters may be left out: what to delete has to be said.
    return new SessionQuery<F>(this.store, [filters], { manager }).delete();
  }

  /** Deletes every session that has ended, in batches, and returns how many there were. The expiry job does the same. */
  async deleteExpired(): Promise<number> {
    return pruneExpired(this.store, this.store.adapter);
  }

  async #extended(
    found: BaseSession | Session<F> | null,
    autoExtend = this.store.options.autoExtend,
    manager?: EntityManager,
  ): Promise<Session<F> | null> {
    if (found === null) return null;
    const session = autoExtend ? await this.store.extendIfDue(found, manager) : found;
    return session === null ? null : this.#typed(session);
  }

  /** The store knows no field types; the table's definition, from which both come, does. */
  #typed(session: BaseSession): Session<F> {
    const typed: unknown = session;
    return typed as Session<F>;
  }
}

const NO_FILTERS = {} as never;

/** The token of filters that name nothing else. */
function tokenAlone(filters: object): string | undefined {
  const { authToken, ...others } = { ...filters } as { authToken?: unknown };
  return typeof authToken === 'string' && Object.keys(others).length === 0 ? authToken : undefined;
}

function validAt(now: Date): Where {
  return { expiresAt: Or(IsNull(), MoreThan(now)) };
}

/**
 * That nothing has ended a session since this copy of it was read. Its end tells, not the time: a log-out leaves an
 * earlier one, and may have happened on a node whose clock is ahead of ours, or after our statement was made.
 */
function unendedSince({ expiresAt: seen }: SessionReference, now: Date): Where {
  if (seen === null) return { expiresAt: IsNull() };
  return seen ? { expiresAt: Or(IsNull(), And(MoreThan(now), MoreThanOrEqual(seen))) } : validAt(now);
}
