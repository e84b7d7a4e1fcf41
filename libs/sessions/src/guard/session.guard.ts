import {
  BadRequestException,
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  type HttpException,
  Inject,
  Injectable,
  Logger,
  type OnModuleInit,
  ServiceUnavailableException,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { HttpAdapterHost } from '@nestjs/core';
import { chain, type MaybePromise } from '../util/maybe-promise.js';
import { SessionsError, SessionsUnavailableError } from '../errors/errors.js';
import { reasonOf } from '../errors/reason-of.js';
import type { SessionUse } from '../lifecycle/last-use.js';
import type { BaseSession } from '../session/session.js';
import { SessionsRegistry, type TableReference } from '../registry/sessions.registry.js';
import { type AuthenticateOptions, SessionsService } from '../service/sessions.service.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { type Access, accessOf } from './access.decorators.js';
import { challenge, type ChallengeError, type ChallengeParameters } from '../http/challenge.js';
import { clearCookie, isRenewalDue, keepToBrowser, setCookie, type TableWithCookie } from './cookie.js';
import { type Credentials, credentialsOf, type HttpRequest } from '../http/credentials.js';
import { GuardedTables } from './guarded-tables.js';
import { isFromOwnOrigin, isNavigation, isUnsafe } from '../http/request-origin.js';
import { freshnessRefusal, type Requirements, requirementsOf, scopeRefusal } from './requirements.js';
import { rememberSession } from './session-of-request.js';

type OneToken = Extract<Credentials, { kind: 'one' }>;

/** What decorators say of a route, as this guard sees it. */
interface Route extends Requirements {
  /** Whether this guard decides, since no other one stands closer to the handler. */
  readonly decides: boolean;
  readonly access: Access | undefined;
}

/** The guards made by `for`: Nest knows a guard by its class, so the same tables get the same one. */
const MADE: {
  readonly base: object;
  readonly tables: readonly TableReference[];
  readonly guard: Type<SessionGuard>;
}[] = [];

/** The method of services that have none of their own; a test may have put another in its place. */
const AUTHENTICATE: unknown = Reflect.get(SessionsService.prototype, 'authenticate');

/** The tables in which the sessions of requests were found, of guards that have several. */
const FOUND_IN = new WeakMap<HttpRequest, SessionsStore>();

/**
 * Lets a request through that carries the token of a valid session, which `@CurrentSession()` then gives. Alone it is
 * for the default table; `SessionGuard.for(ApiKeys)` is for another, `SessionGuard.for(Sessions, ApiKeys)` for any of
 * several. It works as `APP_GUARD` too; of several session guards on a route only the closest to it decides.
 *
 * Each protected method is a point to override.
 *
 * @see RFC 6750 for the responses
 */
@Injectable()
export class SessionGuard implements CanActivate, OnModuleInit {
  /** The tables whose sessions are let through, in the order in which they are tried; none: the default table. */
  protected readonly tables: readonly TableReference[] = [];
  protected readonly logger = new Logger('SessionGuard');
  #guarded: GuardedTables | undefined;
  /** By handler and controller. */
  readonly #routes = new WeakMap<object, WeakMap<object, Route>>();

  @Inject(SessionsRegistry)
  protected readonly registry!: SessionsRegistry;

  @Inject(HttpAdapterHost)
  protected readonly adapterHost!: HttpAdapterHost;

  /**
   * The guard of a table, or of any of several, named by class, definition or name.
   *
   * @example
   * ```ts
   * @UseGuards(SessionGuard.for(ApiKeys))
   * ```
   */
  static for(...tables: readonly [TableReference, ...TableReference[]]): Type<SessionGuard> {
    const made = MADE.find(
      (entry) =>
        entry.base === this &&
        entry.tables.length === tables.length &&
        entry.tables.every((table, i) => table === tables[i]),
    );
    if (made) return made.guard;
    const guard = class extends this {
      protected override readonly tables = tables;
    };
    Object.defineProperty(guard, 'name', { value: `${this.name}(${tables.map(nameOf).join(', ')})` });
    MADE.push({ base: this, tables, guard });
    return guard;
  }

  /** Fails the start of the application where a table is not registered. */
  onModuleInit(): void {
    this.guarded();
  }

  /** At once, without a promise, where the answer is in this process. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { decides, access, authoritative } = this.route(context);
    if (!decides || access === 'public') return true;
    const request = this.getRequest(context);
    const credentials = this.extractCredentials(request);
    if (credentials.kind === 'none' && access === 'optional') return true;
    if (credentials.kind === 'none')
      throw this.refuse(
        context,
        new UnauthorizedException('This route needs a session.', { errorCode: 'ERR_SESSION_REQUIRED' }),
      );
    if (credentials.kind === 'several') {
      this.guarded().all[0].events.tell({ type: 'refused', reason: 'several_tokens' });
      const refusal = new BadRequestException('The request carries more than one token.', {
        errorCode: 'ERR_SESSION_AMBIGUOUS',
      });
      throw this.refuse(context, refusal, 'invalid_request');
    }
    const { cookieTable } = this.guarded().origin(credentials.source);
    const authenticated = cookieTable
      ? this.authenticateByCookie(cookieTable, credentials, context, authoritative)
      : this.authenticate(credentials, request, authoritative);
    return chain(authenticated, (session) => {
      // A browser sends its cookie until it is told not to, so who comes with an old one has to be able to sign in.
      if (session === null && cookieTable && access === 'optional') return true;
      if (session === null) {
        const refusal = new UnauthorizedException('The session is unknown or has ended.', {
          errorCode: 'ERR_SESSION_TOKEN_INVALID',
        });
        throw this.refuse(context, refusal, 'invalid_token');
      }
      return chain(this.authorize(context, session, request), () => {
        rememberSession(request, session);
        return true;
      });
    });
  }

  /** The request that carries the credentials. */
  protected getRequest(context: ExecutionContext): HttpRequest {
    if (context.getType() !== 'http') {
      throw new TypeError(
        `SessionGuard guards HTTP routes, not "${context.getType()}": call authenticate(token) of the table's service there.`,
      );
    }
    return context.getArgByIndex<HttpRequest>(0);
  }

  /** What the request carries, from where any of the tables takes it. */
  protected extractCredentials(request: HttpRequest): Credentials {
    return credentialsOf(request, this.guarded().sources);
  }

  /**
   * Whether a request may rely on a cookie, which browsers send with the requests of other sites too: unsafe ones only from
   * the application's own pages, or those of trusted origins.
   *
   * @see OWASP ASVS 5.0, 3.5.1
   */
  protected mayUseCookie(request: HttpRequest, trustedOrigins: readonly string[]): boolean {
    return !isUnsafe(request) || isFromOwnOrigin(request, trustedOrigins);
  }

  /** The session of a token: of the first table that takes tokens from there and has it, by its database if that is to be asked. */
  protected authenticate(
    { token, source }: OneToken,
    request: HttpRequest,
    authoritative = false,
  ): MaybePromise<BaseSession | null> {
    const { tables } = this.guarded().origin(source);
    try {
      const session =
        tables.length === 1
          ? this.authenticateIn(tables[0]!, token, request, { authoritative })
          : this.authenticateInAny(tables, token, request, { authoritative, tellsRefusal: false });
      return session instanceof Promise ? session.catch((error: unknown) => this.fail(error)) : session;
    } catch (error) {
      return this.fail(error);
    }
  }

  /**
   * Refuses a session that is not enough for the route: by its scopes first, since nobody has to sign in again for what
   * they may not do anyway.
   */
  protected authorize(context: ExecutionContext, session: BaseSession, request: HttpRequest): MaybePromise<void> {
    const { scopes, maxAgeMs } = this.route(context);
    if (scopes.length === 0 && maxAgeMs === Infinity) return;
    const tables = this.guarded().all;
    const foundIn = FOUND_IN.get(request);
    const now = this.registry.options.clock?.() ?? new Date();
    const refusal =
      scopeRefusal(scopes, session.scopes, foundIn ? [foundIn] : tables, tables) ??
      freshnessRefusal(maxAgeMs, session, now);
    if (!refusal) return;
    (foundIn ?? tables[0]).events.tell({ type: 'refused', reason: refusal.reason, session });
    throw this.refuse(context, refusal.exception, refusal.error, refusal.parameters);
  }

  /** Puts the challenge into the response and gives back the refusal to be thrown. */
  protected refuse(
    context: ExecutionContext,
    refusal: HttpException,
    error?: ChallengeError,
    parameters?: ChallengeParameters,
  ): HttpException {
    const response = context.switchToHttp().getResponse<unknown>();
    this.adapterHost.httpAdapter.setHeader(
      response,
      'WWW-Authenticate',
      challenge(this.registry.options.realm ?? 'api', error, parameters),
    );
    return refusal;
  }

  /** By the table's service, where the application has its own; else at once, where the near cache has it. */
  private authenticateIn(
    store: SessionsStore,
    token: string,
    request: HttpRequest,
    options: AuthenticateOptions,
  ): MaybePromise<BaseSession | null> {
    const service = this.registry.service(store);
    if (service.authenticate !== AUTHENTICATE) return service.authenticate(token, { ...options, use: useOf(request) });
    // The address of a client may be dear to find out.
    return store.tokens.authenticate(token, store.lastUse ? { ...options, use: useOf(request) } : options);
  }

  private async authenticateInAny(
    tables: readonly SessionsStore[],
    token: string,
    request: HttpRequest,
    options: AuthenticateOptions,
  ): Promise<BaseSession | null> {
    for (const store of tables) {
      const session = await this.authenticateIn(store, token, request, options);
      if (session === null) continue;
      FOUND_IN.set(request, store);
      return session;
    }
    if (tables.length > 1) await this.tellRefusal(tables, token);
    return null;
  }

  /** An outage must log nobody out: not 401, which makes clients throw their token away. */
  private fail(error: unknown): never {
    if (error instanceof SessionsError && !(error instanceof SessionsUnavailableError)) throw error;
    this.logger.error(`Sessions cannot be looked up: ${reasonOf(error)}`);
    throw new ServiceUnavailableException('Sessions cannot be looked up right now.', {
      errorCode: 'ERR_SESSION_UNAVAILABLE',
    });
  }

  /** As `authenticate`, with what has to be said to a browser. */
  private authenticateByCookie(
    table: TableWithCookie,
    credentials: OneToken,
    context: ExecutionContext,
    authoritative: boolean,
  ): MaybePromise<BaseSession | null> {
    const request = this.getRequest(context);
    if (!this.mayUseCookie(request, table.options.cookie.trustedOrigins)) {
      table.events.tell({ type: 'refused', reason: 'cross_origin' });
      // Without a challenge: the session may be good, and to sign in again would not help.
      throw new ForbiddenException('The request relies on a cookie, and may come from another site.', {
        errorCode: 'ERR_SESSION_CROSS_ORIGIN',
      });
    }
    return chain(this.authenticate(credentials, request, authoritative), (session) => {
      const { httpAdapter } = this.adapterHost;
      const response = context.switchToHttp().getResponse<unknown>();
      if (session === null) {
        // Only for a page that the user is to see: the late answer to a script could drop the cookie that has come meanwhile.
        if (isNavigation(request)) clearCookie(httpAdapter, response, table);
        return null;
      }
      keepToBrowser(httpAdapter, response);
      if (isRenewalDue(session, table)) setCookie(httpAdapter, response, table, credentials.token, session);
      return session;
    });
  }

  /** What a route asks for, which its decorators have said once and for all. */
  private route(context: ExecutionContext): Route {
    const [handler, controller] = [context.getHandler(), context.getClass()];
    const ofHandler = this.#routes.get(handler) ?? new WeakMap<object, Route>();
    let route = ofHandler.get(controller);
    if (!route) {
      const level = this.level(handler, controller);
      route = {
        decides: level !== undefined,
        access: accessOf(handler, controller, level === 'handler'),
        ...requirementsOf(controller, handler),
      };
      this.#routes.set(handler, ofHandler.set(controller, route));
    }
    return route;
  }

  /** Where on the route this guard stands; none where another session guard stands closer to the handler. */
  private level(handler: object, controller: object): 'handler' | 'controller' | 'global' | undefined {
    for (const [level, target] of [
      ['handler', handler],
      ['controller', controller],
    ] as const) {
      const guards = ((Reflect.getMetadata(GUARDS_METADATA, target) ?? []) as unknown[]).filter(isSessionGuard);
      if (guards.length > 0)
        return guards.some((guard) => guard === this || guard === this.constructor) ? level : undefined;
    }
    return 'global';
  }

  /** Why a token is refused by several tables is told by the one that knows it, if any. */
  private async tellRefusal(tables: readonly SessionsStore[], token: string): Promise<void> {
    if (!tables.some(({ events }) => events.wants('refused'))) return;
    const refusals = await Promise.all(tables.map((store) => store.tokens.refusalOf(token)));
    const known = refusals.findIndex(({ session }) => session !== undefined);
    const unknown = refusals.findIndex(({ reason }) => reason === 'unknown');
    const i = [known, unknown, 0].find((index) => index >= 0)!;
    tables[i]!.events.tell(refusals[i]!);
  }

  private guarded(): GuardedTables {
    return (this.#guarded ??= new GuardedTables(this.stores()));
  }

  private stores(): [SessionsStore, ...SessionsStore[]] {
    const [first, ...others] = this.tables;
    return [this.registry.store(first), ...others.map((table) => this.registry.store(table))];
  }
}

/** From where a request comes. */
function useOf({ ip, headers }: HttpRequest): SessionUse {
  return { ip, userAgent: headers['user-agent']?.toString() };
}

function isSessionGuard(guard: unknown): boolean {
  return (
    guard instanceof SessionGuard ||
    (typeof guard === 'function' && (guard === SessionGuard || guard.prototype instanceof SessionGuard))
  );
}

function nameOf(table: TableReference): string {
  return typeof table === 'string' ? table : typeof table === 'function' ? table.name : (table.table ?? 'sessions');
}
