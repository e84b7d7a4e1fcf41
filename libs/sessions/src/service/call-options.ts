import type { EntityManager, FindOptionsRelations, ObjectLiteral } from 'typeorm';
import type { Direction } from '../adapters/port/query.js';
import type { RefusalReason } from '../events/session-event.js';
import type { ClientRequest } from '../http/client-address.js';
import type { SessionUse } from '../lifecycle/last-use.js';
import { OWN_LIMITS, type OwnLimits } from '../lifecycle/own-limits.js';
import type { BaseSession } from '../session/session.js';

// What the calls of the service take beside attributes and filters. A constant beside each names all that there are.

/**
 * A session to work on: its `id` is enough, and what else was read of it tells whether it has changed since.
 */
export interface SessionReference {
  /** The session's `id`. */
  readonly id: string;
  /** Its end as it was read; without it a write that moves the end cannot tell whether the session was ended since. */
  readonly expiresAt?: Date | null;
  /** The time of its last write as it was read, for what `ifUnchanged` compares. */
  readonly updatedAt?: Date;
}

/** The columns to sort by, the first one first. */
export type SessionOrder<C extends string = string> = { readonly [K in C]?: Direction };

/** How sessions are read: by the names of columns, and those of relations. */
export interface FindOptions<C extends string = string, R extends string = string> {
  /** The columns to sort by, the first one first. @default newest first */
  order?: SessionOrder<C> | undefined;
  /** The number of sessions at most. @default all */
  take?: number | undefined;
  /** The number of sessions to pass over first. @default 0 */
  skip?: number | undefined;
  /** The relations to load: names, or TypeORM's nested form. */
  relations?: readonly R[] | FindOptionsRelations<ObjectLiteral> | undefined;
  /** The entity manager of the transaction to read in; `null`: in none. @default that of forRoot's transaction */
  manager?: EntityManager | null | undefined;
}

export const FIND_OPTIONS = {
  order: true,
  take: true,
  skip: true,
  relations: true,
  manager: true,
} satisfies Record<keyof FindOptions, true>;

/** How sessions are listed for one of them. */
export interface ListOptions<C extends string = string, R extends string = string> extends FindOptions<C, R> {
  /** The session of who asks, such as the request's, by which each of the list says whether it `isCurrent`; `null`: none is. */
  current: Pick<BaseSession, 'id'> | null;
}

export const LIST_OPTIONS = { ...FIND_OPTIONS, current: true } satisfies Record<keyof ListOptions, true>;

/** A session of a list that says which one is of who asks. */
export type WithIsCurrent<S> = S & {
  /** Whether it is the session of who asks. */
  readonly isCurrent: boolean;
};

/** How one session is read. */
export interface GetOptions<R extends string = string> extends Pick<FindOptions<string, R>, 'relations' | 'manager'> {
  /** Whether a session whose extension is due is extended. @default the table's autoExtendSession */
  autoExtend?: boolean | undefined;
}

export const GET_OPTIONS = { relations: true, manager: true, autoExtend: true } satisfies Record<
  keyof GetOptions,
  true
>;

/** How a token is looked up. */
export interface AuthenticateOptions<R extends string = never> extends Omit<GetOptions, 'relations'> {
  /** The relations to load, those to one by the same query; the near cache has none, so that the database is asked. */
  relations?: readonly R[] | undefined;
  /** From where the token comes, for a table with `lastUse`; the guard gives it. */
  use?: SessionUse | undefined;
  /** Is told why the token is refused, in place of those who listen to events, as where another table may have it. */
  onRefused?: ((reason: RefusalReason, session?: BaseSession) => void) | undefined;
  /** Whether the database is asked, whatever the near cache has. @default false */
  authoritative?: boolean | undefined;
}

export const AUTHENTICATE_OPTIONS = {
  relations: true,
  manager: true,
  autoExtend: true,
  use: true,
  onRefused: true,
  authoritative: true,
} satisfies Record<keyof AuthenticateOptions, true>;

/** Where a write happens. */
export interface WriteOptions {
  /**
   * The entity manager of the caller's transaction, which the write is part of; `null`: of none.
   *
   * @default that of forRoot's transaction
   */
  manager?: EntityManager | null | undefined;
}

export const WRITE_OPTIONS = { manager: true } satisfies Record<keyof WriteOptions, true>;

/** What becomes of an end that is given. */
export interface EndOptions {
  /**
   * Whether the `expiresAt` that is given is only the first end, which use moves as those that the library sets;
   * without it nothing does.
   *
   * @default false, and true for a new session with a ttl of its own
   */
  extend?: boolean | undefined;
}

/** How a session begins. */
export interface CreateOptions extends WriteOptions, OwnLimits, EndOptions {}

/** Where a session begins, for how long, and in place of which. */
export interface SignInOptions extends CreateOptions {
  /** The session that the request came with, if any; it is ended. */
  replaces?: SessionReference | null | undefined;
  /**
   * When the proof of the owner began, such as the time before the password was looked up and compared; at most a day
   * ago. A table with an `owner` refuses the sign-in where the owner's credentials have changed since.
   *
   * @default not asked
   */
  provedAt?: Date | undefined;
  /**
   * The request that signs in, of Express or Fastify, for a table with `lastUse`: its address and user agent are kept as
   * the first use.
   *
   * @default no use
   */
  request?: ClientRequest | undefined;
}

export const CREATE_OPTIONS = { ...WRITE_OPTIONS, ...OWN_LIMITS, extend: true } satisfies Record<
  keyof CreateOptions,
  true
>;
export const SIGN_IN_OPTIONS = { ...CREATE_OPTIONS, replaces: true, provedAt: true, request: true } satisfies Record<
  keyof SignInOptions,
  true
>;

/** How a session is changed. */
export interface UpdateOptions extends WriteOptions, EndOptions {
  /**
   * Whether the session is changed only where nothing has changed it since it was read, by its `updatedAt`.
   *
   * @default false
   */
  ifUnchanged?: boolean | undefined;
}

export const UPDATE_OPTIONS = { ...WRITE_OPTIONS, ifUnchanged: true, extend: true } satisfies Record<
  keyof UpdateOptions,
  true
>;

/** Why sessions are revoked. */
export interface RevokeOptions<R extends string = string> extends WriteOptions {
  /** Why, as one of the library's reasons or of the table's definition. @default 'signed_out' */
  reason?: R | undefined;
}

export const REVOKE_OPTIONS = { ...WRITE_OPTIONS, reason: true } satisfies Record<keyof RevokeOptions, true>;
