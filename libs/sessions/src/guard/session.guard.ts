import {
  type CanActivate,
  type ExecutionContext,
  type HttpException,
  Inject,
  Injectable,
  Logger,
  type OnModuleInit,
  Optional,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { challenge, type ChallengeError, type ChallengeParameters } from '../http/challenge.js';
import { type Credentials, credentialsOf, type HttpRequest, type ResolvedSource } from '../http/credentials.js';
import { isFromOwnOrigin, isUnsafe } from '../http/request-origin.js';
import { noRegistry } from '../registry/one-set-up.js';
import { SessionsRegistry, type TableReference } from '../registry/sessions.registry.js';
import type { BaseSession } from '../session/session.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { answerCookie, crossOriginRefusal } from './authenticate-cookie.js';
import { authenticateRequest, throwWithRetryAfter, tableOf } from './authenticate-request.js';
import type { GuardedCall } from './calls/call.js';
import { openedStream } from './calls/opened.js';
import { callOf } from './calls/call-of.js';
import { inItsForm, noteChallenge } from './calls/refusals.js';
import { follow, foundOn, ownOf } from './connections.js';
import { findOnce, type Found, type FoundSession, isSession, lackOf, mayLack, type OneToken } from './found.js';
import { guardedBy, type SessionGuardOptions } from './guard-options.js';
import { type GuardedRoute, GuardedRoutes, SESSION_GUARD } from './guarded-route.js';
import { type GuardedPlace, type GuardedTables, guardedTables } from './guarded-tables.js';
import { baseOf, madeGuard } from './made-guards.js';
import { answerRefused } from './refused-token.js';
import { putOnRequest } from './request-session.js';
import { freshnessRefusal, scopeRefusal } from './requirements.js';
import { rememberOfCall } from './session-of-request.js';
import { answerOf, stubOf } from './stub-guards.js';

/**
 * Admits requests with the token of a valid session, which `@CurrentSession()` then gives. `SessionGuard` itself is for the
 * default table, `SessionGuard.for(ApiKeys)` for another, `SessionGuard.for(Sessions, ApiKeys)` for any of several. It works
 * as `APP_GUARD` too. Of several session guards on a route, only the closest decides.
 *
 * Override any protected method.
 *
 * @example
 * ```ts
 * @UseGuards(SessionGuard.for(Sessions))
 * @Controller('account')
 * export class AccountController {
 *   @Get()
 *   show(@CurrentSession('userId') userId: string) {
 *     return { userId };
 *   }
 * }
 * ```
 * @see RFC 6750 for the responses
 */
@Injectable()
export class SessionGuard implements CanActivate, OnModuleInit {
  static {
    Object.defineProperty(this.prototype, SESSION_GUARD, { value: true });
  }

  /** The tables whose sessions are admitted, in the order in which they are tried; none: the default table. */
  protected readonly tables: readonly TableReference[] = [];
  /** The relations to load with each session, from whichever of the tables has them. */
  protected readonly relations: readonly string[] = [];
  /** Logs what the client is not told, such as why the storage does not answer. */
  protected readonly logger = new Logger('SessionGuard');
  #guarded: GuardedTables | undefined;
  /** Decides instead of this guard, in a test. */
  #stub: CanActivate | undefined;
  readonly #routes = new GuardedRoutes(this);

  /** The tables of the application. */
  @Optional()
  @Inject(SessionsRegistry)
  protected readonly registry!: SessionsRegistry;

  @Inject(ModulesContainer)
  private readonly nestModules!: ModulesContainer;

  /** The HTTP platform, which sets headers and cookies. */
  @Inject(HttpAdapterHost)
  protected readonly adapterHost!: HttpAdapterHost;

  /**
   * The guard of a table, or of any of several, named by class, definition or name, with what it loads with a session.
   *
   * @throws SessionsConfigError for unknown options
   * @example
   * ```ts
   * @UseGuards(SessionGuard.for(ApiKeys))
   * @UseGuards(SessionGuard.for(Sessions, { relations: ['user'] }))
   * ```
   */
  static for(...tables: readonly [TableReference, ...TableReference[]]): Type<SessionGuard>;
  /** Creates the guard of the given tables, with options after them. */
  static for<const T extends readonly [TableReference, ...TableReference[]]>(
    ...tablesAndOptions: readonly [...T, SessionGuardOptions<T[number]>]
  ): Type<SessionGuard>;
  static for(...given: readonly (TableReference | SessionGuardOptions)[]): Type<SessionGuard> {
    const guarded = guardedBy(given);
    const { tables, relations } = guarded;
    return madeGuard(
      this,
      guarded,
      () =>
        class extends this {
          protected override readonly tables = tables;
          protected override readonly relations = relations;
        },
    );
  }

  /** Fails the start of the application if a table is not registered. */
  onModuleInit(): void {
    this.#stub = stubOf(this.nestModules, baseOf(this.constructor));
    if (!this.#stub) this.#tables();
  }

  /** Answers at once, without a promise, if the answer is in this process. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (this.#stub) return answerOf(this.#stub, context);
    const route = this.#routes.of(context);
    if (!route.decides) return true;
    if (route.access === 'public') {
      // A field may be inside another one that has a session.
      if (context.getType<string>() === 'graphql') rememberOfCall(context, undefined);
      return true;
    }
    const call = this.getCall(context);
    return call.refusal ? inItsForm(context, call, route, this.#passes) : this.#passes(context, call, route);
  }

  /**
   * What the guard reads of a call: where its credentials are, and how it is answered. Override it for a context type that the
   * library does not know, such as that of another transport's package.
   *
   * @throws TypeError for an unknown type
   */
  protected getCall(context: ExecutionContext): GuardedCall {
    if (context.getType() !== 'http') return callOf(context, this.adapterHost.httpAdapter, this.registry.options);
    return { request: this.getRequest(context), response: context.getArgByIndex<unknown>(1) };
  }

  /** The request of an HTTP route, which carries the credentials. */
  protected getRequest(context: ExecutionContext): HttpRequest {
    return context.getArgByIndex<HttpRequest>(0);
  }

  /** Returns the credentials of a request, from the places where the tables take them. */
  protected extractCredentials(request: HttpRequest): Credentials {
    return credentialsOf(request, this.#tables().sources);
  }

  /**
   * Whether a request may rely on a cookie. Browsers send cookies with the requests of other sites too, so unsafe ones may
   * only from the application's own pages, or those of trusted origins.
   *
   * @see OWASP ASVS 5.0, 3.5.1
   */
  protected mayUseCookie(request: HttpRequest, trustedOrigins: readonly string[]): boolean {
    return !isUnsafe(request) || isFromOwnOrigin(request, trustedOrigins);
  }

  /** The session of a token, from the first table that takes tokens from there and has it; by the database if asked to. */
  protected authenticate(
    { token, source }: OneToken,
    request: HttpRequest,
    authoritative = false,
  ): MaybePromise<BaseSession | null> {
    const notesRefusal = this.registry.options.onRefused !== undefined;
    return authenticateRequest(request, token, this.#placeOf(source).tables, authoritative, this.logger, notesRefusal);
  }

  /**
   * Refuses a session that is not enough for the route. It checks scopes first, so that nobody signs in again for something
   * they may not do.
   */
  protected authorize(context: ExecutionContext, session: BaseSession, request: HttpRequest): MaybePromise<void> {
    const { isUnlimited, scopes, maxAgeMs } = this.#routes.of(context);
    if (isUnlimited) return;
    const tables = this.#tables().all;
    const foundIn = tableOf(session, request, tables);
    const now = this.registry.options.clock?.() ?? new Date();
    const own = foundIn ? [foundIn] : tables;
    const refusal = scopeRefusal(scopes, session.scopes, own, tables) ?? freshnessRefusal(maxAgeMs, session, now);
    if (!refusal) return;
    (foundIn ?? tables[0]).events.emit({ type: 'refused', reason: refusal.reason, session });
    throw this.refuse(context, refusal.exception, refusal.error, refusal.parameters);
  }

  /** Puts the challenge into the answer, and returns the refusal to throw. */
  protected refuse(
    context: ExecutionContext,
    refusal: HttpException,
    error?: ChallengeError,
    parameters?: ChallengeParameters,
  ): HttpException {
    const text = challenge(this.registry.options.realm ?? 'api', error, parameters);
    if (context.getType() !== 'http') noteChallenge(context, text);
    else this.adapterHost.httpAdapter.setHeader(context.getArgByIndex(1), 'WWW-Authenticate', text);
    return refusal;
  }

  // A method that may make a closure pays for it in every call, so each closure has a method of its own.

  readonly #passes = (context: ExecutionContext, call: GuardedCall, route: GuardedRoute): MaybePromise<boolean> => {
    const found = call.scope
      ? findOnce(call.scope, this.constructor, call, route.authoritative, this.#find)
      : this.#find(call, route.authoritative);
    if (found instanceof Promise) return found.then(this.#onFound(context, call, route));
    return this.#decide(context, call, route, found);
  };

  /** What the credentials of a call lead to; a connection may know already. */
  readonly #find = (call: GuardedCall, authoritative: boolean): MaybePromise<Found> =>
    (call.opened && foundOn(call, this.constructor, authoritative, this.logger)) ?? this.#lookUp(call, authoritative);

  #lookUp({ request, handshake, response }: GuardedCall, authoritative: boolean): MaybePromise<Found> {
    const credentials = this.extractCredentials(request);
    if (credentials.kind === 'none')
      return handshake ? this.#lookUp({ request: handshake, response }, authoritative) : credentials;
    if (credentials.kind === 'several') {
      this.#tables().all[0].events.emit({ type: 'refused', reason: 'several_tokens' });
      return credentials;
    }
    const { cookieTable } = this.#placeOf(credentials.source);
    const adapter = this.adapterHost.httpAdapter;
    const byCookie = cookieTable !== undefined;
    const found = (session: BaseSession | null): Found => ({ kind: 'one', session, request, byCookie });
    const fail = (error: unknown): never => throwWithRetryAfter(error, response, adapter);
    try {
      if (cookieTable && !this.mayUseCookie(request, cookieTable.options.cookie.trustedOrigins))
        throw crossOriginRefusal(cookieTable);
      const authenticated = this.authenticate(credentials, request, authoritative);
      const session =
        cookieTable && response !== undefined
          ? answerCookie({ request, response, adapter, table: cookieTable, token: credentials.token }, authenticated)
          : authenticated;
      return session instanceof Promise ? session.then(found, fail) : found(session);
    } catch (error) {
      return fail(error);
    }
  }

  #onFound(context: ExecutionContext, call: GuardedCall, route: GuardedRoute): (found: Found) => MaybePromise<boolean> {
    return (found) => this.#decide(context, call, route, found);
  }

  /** Lets a call through or refuses it. */
  #decide(context: ExecutionContext, call: GuardedCall, route: GuardedRoute, found: Found): MaybePromise<boolean> {
    if (!isSession(found)) return this.#lacks(context, call, route, found);
    if (route.isUnlimited && this.authorize === AUTHORIZE) return this.#admit(context, call, route, found);
    const own = ownOf(found);
    const authorized = this.authorize(context, own.session, own.request);
    if (authorized instanceof Promise) return authorized.then(this.#onAuthorized(context, call, route, own));
    return this.#admit(context, call, route, own);
  }

  #lacks(context: ExecutionContext, call: GuardedCall, route: GuardedRoute, found: Found): MaybePromise<boolean> {
    if (!mayLack(found, route.access))
      return answerRefused(found, this.registry.options.onRefused, call.response, this.adapterHost.httpAdapter, () =>
        this.refuse(context, ...lackOf(found)),
      );
    rememberOfCall(context, undefined);
    return true;
  }

  #onAuthorized(context: ExecutionContext, call: GuardedCall, route: GuardedRoute, found: FoundSession): () => boolean {
    return () => this.#admit(context, call, route, found);
  }

  #admit(context: ExecutionContext, call: GuardedCall, route: GuardedRoute, found: FoundSession): boolean {
    const { session, request } = found;
    if (context.getType() === 'http' && this.registry.options.requestSession !== false) putOnRequest(request, session);
    rememberOfCall(context, session, found);
    if (found.followed) return true;
    const opened = route.isStream ? openedStream(call.response) : call.opened;
    // Connections keep no related rows.
    const guard = this.relations.length > 0 ? undefined : this.constructor;
    if (opened) follow(this.#tables().all, found, call, opened, guard);
    return true;
  }

  #placeOf(source: ResolvedSource): GuardedPlace {
    const tables = this.#tables();
    return tables.places.get(source) ?? tables.placeLike(source);
  }

  #tables(): GuardedTables {
    // Nest's own error would not say what is wrong.
    if (!this.registry) throw noRegistry(this.nestModules);
    return (this.#guarded ??= guardedTables(this.tables, this.registry, this.relations));
  }
}

/** What guards do that override nothing. */
const AUTHORIZE: unknown = Reflect.get(SessionGuard.prototype, 'authorize');
