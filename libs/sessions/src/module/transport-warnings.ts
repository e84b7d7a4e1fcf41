import { Inject, Injectable, Logger, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { MetadataScanner, ModuleRef, ModulesContainer } from '@nestjs/core';
import { accessOf } from '../guard/access.decorators.js';
import { isSessionGuard } from '../guard/guarded-route.js';
import {
  applicationConfigOf,
  guardsOn,
  isGateway,
  isMessageHandler,
  onServiceWithoutGuards,
} from '../guard/nest-internals.js';
import { gatewaysBlind, gatewaysOpen, messagesOpen } from './messages.js';

/** Warns at start if a guard of the application misses calls, or cannot see what it needs. */
@Injectable()
export class TransportWarnings implements OnApplicationBootstrap {
  readonly #logger = new Logger('SessionsModule');
  readonly #scanner = new MetadataScanner();

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ModuleRef) private readonly module: ModuleRef,
  ) {
    const config = applicationConfigOf(module);
    if (config) onServiceWithoutGuards(modules, config, () => this.#tellOfOpenMessages());
  }

  onApplicationBootstrap(): void {
    this.#tellOfOpenGateways();
    const adapter: unknown = applicationConfigOf(this.module)?.getIoAdapter();
    if (!isBlind(adapter)) return;
    const blind = this.#classesIn('providers').filter(
      (gateway) => isGateway(gateway) && this.#guarded(gateway).length > 0,
    );
    if (blind.length > 0) this.#logger.warn(gatewaysBlind(blind.map(({ name }) => name)));
  }

  /** Nest creates a request-scoped guard for HTTP requests, but not for messages of a gateway. */
  #tellOfOpenGateways(): void {
    const config = applicationConfigOf(this.module);
    if (!this.#mayBeGuardedGlobally || config?.getGlobalGuards().some(isSessionGuard)) return;
    const open = this.#openHandlers('providers', isSocketHandler);
    if (open.length > 0) this.#logger.warn(gatewaysOpen(open));
  }

  #tellOfOpenMessages(): void {
    if (!this.#mayBeGuardedGlobally) return;
    const open = this.#openHandlers('controllers', isMessageHandler);
    if (open.length > 0) this.#logger.warn(messagesOpen(open));
  }

  /** The handlers that seem guarded by the application's guard, but are open. */
  #openHandlers(kind: 'controllers' | 'providers', isHandler: (handler: object) => boolean): string[] {
    return this.#classesIn(kind).flatMap((owner) =>
      this.#handlersOf(owner)
        .filter((handler) => isHandler(handler) && !isGuardedItself(handler, owner))
        .filter((handler) => accessOf(handler, owner, false) === undefined)
        .map((handler) => `${owner.name}.${handler.name}`),
    );
  }

  /** The handlers of a gateway that require a session. */
  #guarded(gateway: Type): object[] {
    return this.#handlersOf(gateway).filter(
      (handler) =>
        isSocketHandler(handler) &&
        (this.#isGuardedGlobally || isGuardedItself(handler, gateway)) &&
        accessOf(handler, gateway, guardsOn(handler).some(isSessionGuard)) === undefined,
    );
  }

  get #isGuardedGlobally(): boolean {
    const config = applicationConfigOf(this.module);
    if (!config) return false;
    // A request-scoped guard is known by its class.
    const ofRequests = config.getGlobalRequestGuards().map(({ metatype }) => metatype);
    return [...config.getGlobalGuards(), ...ofRequests].some(isSessionGuard);
  }

  /** A guard that a factory creates for each request may or may not be a session guard. */
  get #mayBeGuardedGlobally(): boolean {
    const ofRequests = applicationConfigOf(this.module)?.getGlobalRequestGuards() ?? [];
    return this.#isGuardedGlobally || ofRequests.some(({ isFactory }) => isFactory);
  }

  #classesIn(kind: 'controllers' | 'providers'): Type[] {
    const wrappers = [...this.modules.values()].flatMap((module) => [...module[kind].values()]);
    const classes = wrappers.map(({ metatype }) => metatype as unknown);
    return [...new Set(classes)].filter(
      (metatype): metatype is Type => typeof metatype === 'function' && metatype.prototype !== undefined,
    );
  }

  #handlersOf({ prototype }: Type): ((...args: never[]) => unknown)[] {
    return this.#scanner
      .getAllMethodNames(prototype as object)
      .map((name) => Reflect.get(prototype as object, name) as (...args: never[]) => unknown);
  }
}

/** Whether a handler is for messages of a gateway. */
function isSocketHandler(handler: object): boolean {
  return Reflect.hasMetadata('websockets:message_mapping', handler);
}

function isGuardedItself(handler: object, controller: object): boolean {
  return [handler, controller].some((target) => guardsOn(target).some(isSessionGuard));
}

/** Whether an adapter is that of @nestjs/platform-ws, whose sockets do not know the request that opened them. */
function isBlind(adapter: unknown): boolean {
  return typeof adapter === 'object' && adapter !== null && adapter.constructor.name === 'WsAdapter';
}
