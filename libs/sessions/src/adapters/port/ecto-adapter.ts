import type { EntityManager } from 'typeorm';
import type { Column } from './columns.js';
import type { Conversion, InsertOptions, Row, Schema, Where } from './query.js';
import type { SessionsAdapter } from './sessions-adapter.js';

/**
 * The storage behind any entity: what Ecto asks of its adapters. The service needs only its {@link SessionsAdapter} part.
 *
 * @see https://hexdocs.pm/ecto/Ecto.Adapter.html
 */
export interface EctoAdapter extends SessionsAdapter {
  /** Resolves when everything that the adapter needs is up; rejects with a clear error if it is not. */
  ensureStarted(): Promise<void>;

  /** Runs `fn` with an adapter whose statements all use one connection. */
  checkout<T>(fn: (adapter: EctoAdapter) => Promise<T>): Promise<T>;

  /** A new value for a key: a unique integer, or a UUID; `null` if the storage makes it. */
  autogenerate(type: 'id' | 'embedId' | 'binaryId'): number | string | null;

  /** What a value of the column goes through on its way into the storage, in order. */
  dumpers(column: Column): readonly Conversion[];

  /** What a stored value of the column goes through on its way out: what is loaded equals what was dumped. */
  loaders(column: Column): readonly Conversion[];

  /** Inserts all the rows or none and returns how many were written. @throws UniqueConstraintError */
  insertAll(
    schema: Schema,
    rows: readonly Row[],
    options?: Omit<InsertOptions, 'returning' | 'joint'>,
  ): Promise<number>;

  /** Deletes the rows that the filters name. @throws StaleEntryError */
  delete(schema: Schema, filters: Where): Promise<void>;

  /** This adapter inside the caller's transaction. */
  within(manager: EntityManager): EctoAdapter;
  /** Runs `fn` like {@link SessionsAdapter.tryLock}, with all of this adapter. */
  tryLock<T>(name: string, fn: (adapter: EctoAdapter) => Promise<T>): Promise<T | undefined>;
  /** Runs `fn` like {@link SessionsAdapter.withLock}, with all of this adapter. */
  withLock<T>(
    names: string | readonly string[],
    fn: (adapter: EctoAdapter) => Promise<T>,
    reading?: 'currentRows',
  ): Promise<T>;
}
