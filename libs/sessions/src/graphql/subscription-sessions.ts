import { HttpException, Inject, Injectable, Logger, type OnModuleInit, Scope, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { configured } from '../errors/known-options.js';
import { isObject } from '../errors/option-types.js';
import { reasonOf } from '../errors/reason-of.js';
import { OptionalSession } from '../guard/access.decorators.js';
import { closeCodeOf, type RawSocket } from '../guard/calls/opened.js';
import { isKept, keepFound } from '../guard/connections.js';
import { ExecutionContextHost, guardMadeFor, type GuardSource } from '../guard/nest-internals.js';
import { SessionGuard } from '../guard/session.guard.js';
import { answerOf } from '../guard/stub-guards.js';
import { NO_CONNECTION } from './messages.js';
import {
  type GraphqlWsHooks,
  type MercuriusHooks,
  SUBSCRIPTION_OPTIONS,
  type SubscriptionSessionsOptions,
} from './subscription-options.js';

/** The `this` of Mercurius's hooks. */
interface MercuriusConnection {
  readonly socket: RawSocket;
  readonly context: { readonly request: unknown };
}

/**
 * Accepts connections of GraphQL by their sessions, before the client can ask anything on them: by the token in
 * `connectionParams`, in a header of the handshake, or in its cookie, from one of the application's own pages. All operations of
 * a connection then have that session with one lookup, and it is closed with `4401 ERR_SESSION_ENDED` when the session ends.
 *
 * A refused connection is closed with `4401`, `4400` or `4403`, like HTTP's 401, 400 and 403, or with `1013` if the database
 * cannot answer now; the reason is the `errorCode`. Clients of graphql-ws try again after `1013`, and not after `4401`.
 *
 * @see OWASP ASVS 5.0, 4.4.2 and 7.4.1
 */
@Injectable()
export class SubscriptionSessions implements OnModuleInit {
  readonly #logger = new Logger('SessionGuard');
  /** The guards that the application has named, created at its start or for each connection. */
  readonly #guards = new Map<Type<SessionGuard>, GuardSource | undefined>();

  constructor(@Inject(ModuleRef) private readonly modules: ModuleRef) {}

  /** Creates the guards. Fails the start of the application if one of their tables is not registered. */
  async onModuleInit(): Promise<void> {
    for (const guard of this.#guards.keys()) this.#guards.set(guard, await this.#sourceOf(guard));
  }

  /**
   * The option `graphql-ws` of Apollo's `subscriptions`.
   *
   * @throws SessionsConfigError for unknown options
   * @example
   * ```ts
   * const options = { subscriptions: { 'graphql-ws': subscriptions.graphqlWs() } };
   * ```
   */
  graphqlWs(options: SubscriptionSessionsOptions = {}): GraphqlWsHooks {
    const letIn = this.#entrance('graphqlWs', options);
    return { onConnect: async (connection) => letIn(socketIn(connection.extra), { req: connection }) };
  }

  /**
   * The option `subscription` of Mercurius. A connection has one session: its client cannot send another token on it later.
   *
   * @throws SessionsConfigError for unknown options
   * @example
   * ```ts
   * const options = { subscription: { fullWsTransport: true, ...subscriptions.mercurius() } };
   * ```
   */
  mercurius(options: SubscriptionSessionsOptions = {}): MercuriusHooks {
    const letIn = this.#entrance('mercurius', options);
    return {
      context: (socket, request) => ({ socket, request }),
      // Only here does Mercurius tell whose token it is.
      async onConnect(this: unknown, { payload }): Promise<boolean> {
        const socket = socketIn(this);
        if (isKept(socket)) return false;
        const { request } = (this as MercuriusConnection).context;
        return letIn(socket, { request, socket, _connectionInit: payload });
      },
    };
  }

  /** Accepts or closes a connection, given the context of its operations. */
  #entrance(name: string, options: SubscriptionSessionsOptions) {
    const { guard = SessionGuard, optional = false } = configured(name, options, SUBSCRIPTION_OPTIONS);
    this.#guards.set(guard, undefined);
    const handler = optional ? openToAll : forSessions;
    return async (socket: RawSocket, operation: object): Promise<boolean> => {
      keepFound(socket);
      const context = new ExecutionContextHost([undefined, {}, operation], SubscriptionSessions, handler);
      context.setType('graphql');
      try {
        return await answerOf(await this.#guards.get(guard)!(socket), context);
      } catch (error) {
        const refusal = error instanceof HttpException ? error : undefined;
        if (!refusal) this.#logger.error(reasonOf(error));
        socket.close(closeCodeOf(refusal?.getStatus() ?? 500), refusal?.errorCode ?? '');
        return false;
      }
    };
  }

  /** The application's own guard, or a new one. */
  async #sourceOf(guard: Type<SessionGuard>): Promise<GuardSource> {
    const scope = this.#scopeOf(guard);
    if (scope === Scope.DEFAULT) return () => this.modules.get(guard, { strict: false });
    if (scope !== undefined) return async (socket) => guardMadeFor(socket, this.modules, guard, false);
    const made = await this.modules.create(guard);
    made.onModuleInit();
    return () => made;
  }

  /** How the application provides a guard; `undefined` if it has none of that class. */
  #scopeOf(guard: Type<SessionGuard>): Scope | undefined {
    try {
      return this.modules.introspect(guard).scope;
    } catch {
      return undefined;
    }
  }
}

/** Stand in for the handler of a connection. Decorators declare what they require. */
const forSessions = (): void => undefined;
const openToAll = (): void => undefined;
OptionalSession()(openToAll as never);

/** @throws TypeError if there is no socket */
function socketIn(connection: unknown): RawSocket {
  if (!isObject(connection) || !('socket' in connection)) throw new TypeError(NO_CONNECTION);
  return connection.socket as RawSocket;
}
