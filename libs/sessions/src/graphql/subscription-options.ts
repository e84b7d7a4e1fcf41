import type { Type } from '@nestjs/common';
import { BOOLEAN, type OptionType } from '../errors/option-types.js';
import { isSessionGuard } from '../guard/guarded-route.js';
import type { SessionGuard } from '../guard/session.guard.js';
import { NO_GUARD } from './messages.js';

/** How to accept connections. */
export interface SubscriptionSessionsOptions {
  /**
   * The guard to ask, as for a resolver: `SessionGuard.for(ApiKeys)`, or a class that extends it, which must be a provider if it
   * has its own dependencies.
   *
   * @default SessionGuard
   */
  readonly guard?: Type<SessionGuard>;
  /**
   * Whether a client without a token is accepted too, for public fields; guarded ones refuse it.
   *
   * @default false
   */
  readonly optional?: boolean;
}

export const SUBSCRIPTION_OPTIONS = {
  guard: { is: isSessionGuard, what: NO_GUARD },
  optional: BOOLEAN,
} satisfies Record<keyof SubscriptionSessionsOptions, OptionType>;

/** The hooks for graphql-ws. */
export interface GraphqlWsHooks {
  /** Accepts a connection, or closes it. */
  readonly onConnect: (connection: {
    readonly extra: unknown;
    readonly connectionParams?: unknown;
  }) => Promise<boolean>;
}

/** The hooks for Mercurius. */
export interface MercuriusHooks {
  /** Shows resolvers, and their guards, the socket. */
  readonly context: <S, R>(socket: S, request: R) => { socket: S; request: R };
  /** Accepts a connection, or closes it. */
  readonly onConnect: (init: { readonly payload?: unknown }) => Promise<boolean>;
}
