import type { EntityManager, FindOptionsRelations, ObjectLiteral } from 'typeorm';
import type { Direction } from '../adapters/port/query.js';
import type { RefusalReason } from '../events/session-event.js';
import type { ClientRequest } from '../http/client-address.js';
import type { SessionUse } from '../lifecycle/last-use.js';
import { OWN_LIMITS, type OwnLimits } from '../lifecycle/own-limits.js';
import type { BaseSession } from '../session/session.js';

// The options of the service's calls. The constant after each lists its keys.

/**
 * A session to work on. Its `id` is enough; the other properties tell whether it has changed since it was read.
 */
export interface SessionReference {
  /** The session's `id`. */
  readonly id: string;
  /** Its end when it was read; without it, a write that moves the end cannot tell whether the session has ended since. */
  readonly expiresAt?: Date | null;
  /** The time of its last write when it was read, which `ifUnchanged` compares. */
  readonly updatedAt?: Date;
}

/** The columns to sort by, the most important one first. */
export type SessionOrder<C extends string = string> = { readonly [K in C]?: Direction };

/** How to read sessions, by the names of columns and relations. */
export interface FindOptions<C extends string = string, R extends string = string> {
  /** The columns to sort by, the most important one first. @default newest first */
  order?: SessionOrder<C> | undefined;
  /** The most sessions to return. @default all */
  take?: number | undefined;
  /** How many sessions to skip first. @default 0 */
  skip?: number | undefined;
  /** The relations to load: names, or TypeORM's nested form. */
  relations?: readonly R[] | FindOptionsRelations<ObjectLiteral> | undefined;
  /**
   * The entity manager of the transaction to read in; `null`: no transaction.
   *
   * @default that of the transaction option of forRoot
   */
  manager?: EntityManager | null | undefined;
}

export const FIND_OPTIONS = {
  order: true,
  take: true,
  skip: true,
  relations: true,
  manager: true,
} satisfies Record<keyof FindOptions, true>;

/** How to list sessions for nobody in particular. */
export interface PlainListOptions<C extends string = string, R extends string = string> extends FindOptions<C, R> {
  current?: undefined;
}

/** How to list sessions for one of them. */
export interface ListOptions<C extends string = string, R extends string = string> extends FindOptions<C, R> {
  /** The session of whoever asks, such as the request's: it is the one that `isCurrent`; `null`: none is. */
  current: Pick<BaseSession, 'id'> | null;
}

export const LIST_OPTIONS = { ...FIND_OPTIONS, current: true } satisfies Record<keyof ListOptions, true>;

/** A session of a list, with whether it is the one of whoever asks. */
export type WithIsCurrent<S> = S & {
  /** Whether it is the session of whoever asks. */
  readonly isCurrent: boolean;
};

/** How to read one session. */
export interface GetOptions<R extends string = string> extends Pick<FindOptions<string, R>, 'relations' | 'manager'> {
  /** Whether to extend the session when that is due. @default the table's autoExtendSession */
  autoExtend?: boolean | undefined;
}

export const GET_OPTIONS = { relations: true, manager: true, autoExtend: true } satisfies Record<
  keyof GetOptions,
  true
>;

/** How to look a token up. */
export interface AuthenticateOptions<R extends string = never> extends Omit<GetOptions, 'relations'> {
  /** The relations to load, those to one entity by the same query. The near cache has none, so this asks the database. */
  relations?: readonly R[] | undefined;
  /** Where the token comes from, for a table with `lastUse`; the guard sets it. */
  use?: SessionUse | undefined;
  /** Hears why the token is refused, instead of the listeners to events, for example if another table may have it. */
  onRefused?: ((reason: RefusalReason, session?: BaseSession) => void) | undefined;
  /** Whether to ask the database, whatever the near cache has. @default false */
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

/** Where to write. */
export interface WriteOptions {
  /**
   * The entity manager of your transaction, to make the write part of it; `null`: no transaction.
   *
   * @default that of the transaction option of forRoot
   */
  manager?: EntityManager | null | undefined;
}

export const WRITE_OPTIONS = { manager: true } satisfies Record<keyof WriteOptions, true>;

/** What to do with an end that you give. */
export interface EndOptions {
  /**
   * Whether the `expiresAt` that you give is only the first end, which use moves like those that the library sets. Without
   * this, nothing moves it.
   *
   * @default false; true for a new session with its own ttl
   */
  extend?: boolean | undefined;
}

/** How to create a session. */
export interface CreateOptions extends WriteOptions, OwnLimits, EndOptions {}

/** Where to create a session, for how long, and in place of which. */
export interface SignInOptions extends CreateOptions {
  /** The session that the request came with, if any; the sign-in ends it. */
  replaces?: SessionReference | null | undefined;
  /**
   * When the owner's proof began, such as the time before you looked up and compared the password; at most a day ago. A table
   * with an `owner` refuses the sign-in if the owner's credentials have changed since.
   *
   * @default not checked
   */
  provedAt?: Date | undefined;
  /**
   * The request that signs in, of Express or Fastify, for a table with `lastUse`: its address and user agent are stored as
   * the first use.
   *
   * @default no recorded use
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

/** How to change a session. */
export interface UpdateOptions extends WriteOptions, EndOptions {
  /**
   * Whether to change the session only if nothing has changed it since it was read, by its `updatedAt`.
   *
   * @default false
   */
  ifUnchanged?: boolean | undefined;
}

export const UPDATE_OPTIONS = { ...WRITE_OPTIONS, ifUnchanged: true, extend: true } satisfies Record<
  keyof UpdateOptions,
  true
>;

/** Why to revoke sessions. */
export interface RevokeOptions<R extends string = string> extends WriteOptions {
  /** The reason: one of the library's, or of the table's definition. @default 'signed_out' */
  reason?: R | undefined;
}

export const REVOKE_OPTIONS = { ...WRITE_OPTIONS, reason: true } satisfies Record<keyof RevokeOptions, true>;
