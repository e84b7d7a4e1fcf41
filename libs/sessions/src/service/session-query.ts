import { type EntityManager, In, type ObjectLiteral, type SelectQueryBuilder } from 'typeorm';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import {
  allOf,
  namedRelations,
  type Conditions,
  type Prepared,
  type QueryKind,
  type QueryOptions,
  type Row,
} from '../adapters/port/query.js';
import { columnOf } from '../adapters/query/conditions.js';
import { orderEntries } from '../adapters/query/query-options.js';
import { CREDENTIALS_CHANGED, ownersNamed, revokeForCredentials } from '../lifecycle/credentials-changed.js';
import { MultipleSessionsError, UnsupportedQueryError } from '../errors/errors.js';
import { knownOptions } from '../errors/known-options.js';
import { filterSets, whereOf } from '../lifecycle/filters.js';
import { sessionFrom } from '../lifecycle/read-session.js';
import { revoke } from '../lifecycle/revoke.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { adapterIn, transactionOf } from '../lifecycle/table-context.js';
import { write } from '../lifecycle/write.js';
import type { SessionStatus } from '../session/session.js';
import { ofStatus } from '../session/validity.js';
import { ownerOf } from '../table/definition.js';
import type {
  ColumnName,
  ReasonOf,
  RelationName,
  Session,
  SessionFilters,
  SessionFilterSet,
} from '../table/inferred-types.js';
import type { AnyFields, TableFields } from '../table/table-fields.js';
import { FIND_OPTIONS, type FindOptions, type SessionOrder } from './call-options.js';
import { revokesNoPart, typeOrmNeeded } from './messages.js';

/** One set of filters, or several of which any may match. */
type Step = object | readonly object[];

/**
 * A query that you build step by step. Each step returns a new query and leaves the old one unchanged.
 *
 * @example
 * ```ts
 * const mine = sessions.query({ userId: 'u1' });
 * const phones = await mine.filter({ data: JsonPath(['device'], 'iPhone') }).take(10).all();
 * const ended = await mine.filter({ status: 'expired' }).count();
 * ```
 */
export class SessionQuery<F extends AnyFields = TableFields> {
  readonly #store: SessionsStore;
  readonly #steps: readonly Step[];
  readonly #options: FindOptions<ColumnName<F>, RelationName<F>>;
  /** The options that it started with. They are checked when the query runs, like filters. */
  readonly #given: FindOptions<ColumnName<F>, RelationName<F>>;

  constructor(
    store: SessionsStore,
    steps: readonly Step[],
    options: FindOptions<ColumnName<F>, RelationName<F>> = {},
    given = options,
  ) {
    this.#store = store;
    this.#steps = steps;
    this.#options = options;
    this.#given = given;
  }

  /**
   * Narrows the query. The last filters that name a `status` decide; without any it is `'valid'`.
   */
  filter(filters: SessionFilters<F>): SessionQuery<F> {
    return new SessionQuery(this.#store, [...this.#steps, filters], this.#options, this.#given);
  }

  /** Narrows the query by one field. @throws SessionValidationError when it runs, for an unknown field */
  filterBy<K extends keyof SessionFilterSet<F> & string>(field: K, value: SessionFilterSet<F>[K]): SessionQuery<F> {
    return new SessionQuery(this.#store, [...this.#steps, { [field]: value }], this.#options, this.#given);
  }

  /** Sorts by these columns, the most important one first, instead of newest first. */
  order(order: SessionOrder<ColumnName<F>>): SessionQuery<F> {
    return this.#with({ order });
  }

  /** Returns at most this many sessions. */
  take(take: number): SessionQuery<F> {
    return this.#with({ take });
  }

  /** Skips this many sessions first. */
  skip(skip: number): SessionQuery<F> {
    return this.#with({ skip });
  }

  /** Loads these relations with each session. */
  relations(relations: NonNullable<FindOptions<ColumnName<F>, RelationName<F>>['relations']>): SessionQuery<F> {
    return this.#with({ relations });
  }

  /** The sessions that match, newest first unless you set an order. */
  async all(): Promise<Session<F>[]> {
    const rows = await this.#rows(this.#read());
    return rows.map((row) => this.#session(row));
  }

  /** The session that matches, or null. @throws MultipleSessionsError if several do */
  async one(): Promise<Session<F> | null> {
    const [session, second] = await this.take(Math.min(2, this.#options.take ?? 2)).all();
    if (second !== undefined) throw new MultipleSessionsError(this.#store.name);
    return session ?? null;
  }

  /** Counts the sessions that match. */
  async count(): Promise<number> {
    return (await this.#adapter.execute(this.#prepare('all', { count: true }))).count;
  }

  /** Deletes the sessions that match, in one statement, and returns how many there were. */
  async delete(): Promise<number> {
    const { order, take, skip } = this.#options;
    const { events, selected } = this.#store;
    const returning = events.wants('deleted') ? selected : undefined;
    const options = { call: 'delete', where: this.#where(), order, take, skip, returning };
    const { count, rows } = await write(this.#store, this.#adapter, 'deleteAll', options);
    for (const row of rows ?? []) events.emit({ type: 'deleted', session: sessionFrom(this.#store, row) });
    return count;
  }

  /**
   * Ends the valid sessions among those that match, in one statement, and returns how many there were. With `take` or `skip` it
   * ends those of the page, which another statement finds first, in its order.
   *
   * @throws UnsupportedQueryError for a page of the sessions of owners whose credentials have changed
   * @throws as `revokeAll` of the service
   */
  async revoke(options: { reason: ReasonOf<F> }): Promise<number> {
    const { reason } = knownOptions(this.#store.name, options, { reason: true });
    const store = this.#store;
    const where = this.#where('all');
    const { take, skip } = this.#options;
    const isPart = take !== undefined || skip !== undefined;
    if (reason !== CREDENTIALS_CHANGED || ownerOf(store.definition) === undefined)
      return revoke(store, isPart ? allOf(where, { id: In(await this.#ids()) }) : where, reason, this.#adapter);
    if (isPart) throw new UnsupportedQueryError(revokesNoPart(store.name));
    return revokeForCredentials(store, ownersNamed(store, this.#sets), where, this.#transaction);
  }

  /**
   * The sessions that match, read in chunks of `maxRows` (default: 500) while the reader goes on. A session that exists
   * throughout appears exactly once, whatever happens meanwhile. Without an order it goes by id, so oldest first.
   */
  async *stream(options: { maxRows?: number } = {}): AsyncIterable<Session<F>> {
    const prepared = this.#prepare('all', { ...this.#read(), order: this.#options.order });
    for await (const row of this.#adapter.stream(prepared, {}, options)) yield this.#session(row);
  }

  /**
   * TypeORM's query builder with the same conditions, for joins, groups and whatever else it does.
   *
   * @throws UnsupportedQueryError on an adapter without TypeORM
   */
  toQueryBuilder(alias = 'session'): SelectQueryBuilder<ObjectLiteral> {
    const builder = this.#adapter.queryBuilder?.(this.#store.entity, alias, this.#where());
    if (builder) return builder;
    throw new UnsupportedQueryError(typeOrmNeeded(this.#store.name));
  }

  get #transaction(): EntityManager | undefined {
    return transactionOf(this.#store, this.#options.manager);
  }

  get #adapter(): SessionsAdapter {
    return adapterIn(this.#store, this.#transaction);
  }

  #with(options: FindOptions<ColumnName<F>, RelationName<F>>): SessionQuery<F> {
    return new SessionQuery(this.#store, this.#steps, { ...this.#options, ...options }, this.#given);
  }

  #prepare(kind: QueryKind, options: QueryOptions): Prepared {
    return this.#adapter.prepare(kind, this.#store.entity, { ...options, where: this.#where() });
  }

  /** The ids of the page; only valid sessions, unless a step names a status. */
  async #ids(): Promise<unknown[]> {
    const { take, skip } = this.#options;
    return (await this.#rows({ take, skip, select: ['id'] })).map(({ id }) => id);
  }

  async #rows(options: QueryOptions): Promise<readonly Row[]> {
    const order: SessionOrder = this.#options.order ?? { createdAt: 'DESC' };
    // The key breaks ties, so that pages do not overlap.
    const prepared = this.#prepare('all', {
      ...options,
      order: { ...order, id: order['id'] ?? 'DESC' },
    });
    return (await this.#adapter.execute(prepared)).rows!;
  }

  #read(): QueryOptions {
    const { take, skip, relations } = this.#options;
    return {
      take,
      skip,
      select: this.#store.selected,
      relations: relations === undefined ? undefined : namedRelations(relations),
    };
  }

  get #sets(): (readonly Row[])[] {
    return this.#steps.map((step) => filterSets(this.#store.name, step));
  }

  /** @param status the default if no step names one */
  #where(status: SessionStatus = 'valid'): Conditions {
    const { order } = this.#options;
    knownOptions(this.#store.name, this.#given, FIND_OPTIONS);
    // Only columns that an application may name: nobody may sort by digests.
    for (const [name] of orderEntries(this.#store.columns, order)) columnOf(this.#store.columns, name);
    const steps = this.#sets;
    const deciding = steps.findLastIndex((sets) => sets.some((set) => 'status' in set));
    const parts = steps.map((sets, i) =>
      whereOf(this.#store, i === deciding ? sets : sets.map((set) => ({ ...set, status: 'all' }))),
    );
    return deciding === -1 ? allOf(...parts, ofStatus(status, this.#store, this.#store.now())) : allOf(...parts);
  }

  #session(row: Row): Session<F> {
    const session: unknown = sessionFrom(this.#store, row);
    return session as Session<F>;
  }
}
