import type { Type } from '@nestjs/common';
import { BOOLEAN, type OptionType } from '../errors/option-types.js';
import { isSessionGuard } from '../guard/guarded-route.js';
import type { SessionGuard } from '../guard/session.guard.js';
import { NO_GUARD } from './messages.js';

/** How connections are let in. */
export interface SubscriptionSessionsOptions {
  /**
   * The guard that is asked, as for a resolver: `SessionGuard.for(ApiKeys)`, or a class that extends it, which is a provider where
   * it has dependencies of its own.
   *
   * @default SessionGuard
   */
  readonly guard?: Type<SessionGuard>;
  /**
   * Whether a client without a token is let in as well, for public fields; guarded ones refuse it.
   *
   * @default false
   */
  readonly optional?: boolean;
}

export const SUBSCRIPTION_OPTIONS = {
  guard: { is: isSessionGuard, what: NO_GUARD },
  optional: BOOLEAN,
} satisfies Record<keyof SubscriptionSessionsOptions, OptionType>;

/** What graphql-ws is given. */
export interface GraphqlWsHooks {
  /** Lets a connection in, or closes it. */
  readonly onConnect: (connection: {
    readonly extra: unknown;
    readonly connectionParams?: unknown;
  }) => Promise<boolean>;
}

/** What Mercurius is given. */
export interface MercuriusHooks {
  /** Shows resolvers, and their guards, the socket. */
  readonly context: <S, R>(socket: S, request: R) => { socket: S; request: R };
  /** Lets a connection in, or closes it. */
  readonly onConnect: (init: { readonly payload?: unknown }) => Promise<boolean>;
}
