import type { IncomingMessage } from 'node:http';
import {
  type CanActivate,
  HttpException,
  HttpStatus,
  type INestApplicationContext,
  Logger,
  type Type,
} from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { reasonOf } from '../errors/reason-of.js';
import { accessOf } from './access.decorators.js';
import { ConnectionContext } from './calls/connection-context.js';
import { detailsOf, type RefusalDetails } from './calls/refusals.js';
import { isSessionGuard } from './guarded-route.js';
import { CONNECTION_FAILED, FORBIDDEN, serverUnknown } from './messages.js';
import {
  type GatewayPlace,
  type GuardSource,
  guardsOn,
  isGateway,
  type MadeByNest,
  type NestModule,
  placeOf,
  sourceOf,
} from './nest-internals.js';
import { rememberSession, sessionOf } from './session-of-request.js';
import { answerOf } from './stub-guards.js';

/** Why a socket is refused. */
export interface ConnectionRefusal extends RefusalDetails {
  readonly statusCode: number;
  readonly message: string;
}

type Handler = (...args: never[]) => unknown;

/** A gateway with guards that check sockets. */
interface GuardedGateway {
  readonly gateway: Type;
  readonly handler: Handler;
  readonly guards: readonly GuardSource[];
}

/** The entrance for sockets of all gateways at one place. */
export class GatewayEntrance {
  #gateways: { readonly guarded: readonly GuardedGateway[]; readonly isOpen: boolean } | undefined;
  readonly #logger = new Logger('SessionGuard');

  constructor(
    private readonly app: INestApplicationContext,
    private readonly place: GatewayPlace,
  ) {}

  /**
   * Why a socket is refused, if it is. It passes if the guards of one gateway let it through, those of
   * `handleConnection` included, or if one gateway is open to everybody.
   */
  async refusalOf(client: object, handshake: IncomingMessage): Promise<ConnectionRefusal | undefined> {
    // Not earlier, because gateways are discovered during initialisation.
    const { guarded, isOpen } = (this.#gateways ??= gatewaysAt(this.app, this.place));
    let refusal: ConnectionRefusal | undefined;
    for (const gateway of guarded) {
      const refused = await this.#refusalBy(gateway, client, handshake);
      if (!refused) return undefined;
      refusal ??= refused;
    }
    return isOpen ? undefined : refusal;
  }

  async #refusalBy(
    { gateway, handler, guards }: GuardedGateway,
    client: object,
    handshake: IncomingMessage,
  ): Promise<ConnectionRefusal | undefined> {
    const context = new ConnectionContext(client, handshake, gateway, handler);
    try {
      for (const guardOf of guards)
        if (!(await answerOf(await guardOf(client), context)))
          return { statusCode: HttpStatus.FORBIDDEN, message: FORBIDDEN };
      rememberSession(client, sessionOf(context));
      return undefined;
    } catch (error) {
      if (error instanceof HttpException)
        return { statusCode: error.getStatus(), message: error.message, ...detailsOf(error) };
      this.#logger.error(reasonOf(error));
      return { statusCode: HttpStatus.INTERNAL_SERVER_ERROR, message: CONNECTION_FAILED };
    }
  }
}

/** The entrances of an application, by the servers that its adapter created. */
export class GatewayEntrances {
  readonly #entrances = new WeakMap<object, GatewayEntrance>();

  constructor(private readonly app: INestApplicationContext) {}

  add(server: object, place: GatewayPlace): void {
    this.#entrances.set(server, new GatewayEntrance(this.app, place));
  }

  /** @throws TypeError for a server that the adapter did not create */
  of(server: object, adapter: string): GatewayEntrance {
    const entrance = this.#entrances.get(server);
    if (!entrance) throw new TypeError(serverUnknown(adapter));
    return entrance;
  }
}

function gatewaysAt(app: INestApplicationContext, place: GatewayPlace) {
  const globalGuards = guardsOfAll(app.get(ApplicationConfig));
  const guarded: GuardedGateway[] = [];
  let isOpen = false;
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.providers.values()) {
      if (typeof metatype !== 'function' || !isGateway(metatype) || !isAt(place, placeOf(metatype))) continue;
      const gateway = metatype as Type;
      const handler = handlerOf(gateway);
      const onHandler = guardsIn(module, handler);
      const guards = [onHandler, guardsIn(module, gateway), globalGuards].find(({ length }) => length > 0);
      const isPublic = accessOf(handler, gateway, onHandler.length > 0) === 'public';
      if (guards && !isPublic) guarded.push({ gateway, handler, guards });
      else isOpen = true;
    }
  }
  return { guarded, isOpen };
}

/** Stands in for the handler of a gateway without one. */
const NO_HANDLER: Handler = () => undefined;

function handlerOf({ prototype }: Type): Handler {
  return (Reflect.get(prototype as object, 'handleConnection') as Handler | undefined) ?? NO_HANDLER;
}

/** The session guards of the whole application. */
function guardsOfAll(config: ApplicationConfig): GuardSource[] {
  const made = config.getGlobalRequestGuards().filter(({ metatype }) => isSessionGuard(metatype));
  const guards = config.getGlobalGuards().filter(isSessionGuard);
  return [...guards.map((guard) => () => guard), ...made.map(sourceOf)];
}

/** The session guards on a gateway or its handler. */
function guardsIn({ injectables }: NestModule, target: object): GuardSource[] {
  const guards = guardsOn(target).filter(isSessionGuard);
  return guards.map((guard) =>
    typeof guard === 'function' ? sourceOf(injectables.get(guard as Type) as MadeByNest) : () => guard as CanActivate,
  );
}

function isAt(a: GatewayPlace, b: GatewayPlace): boolean {
  return a.port === b.port && a.path === b.path && namespaceOf(a) === namespaceOf(b);
}

/** Like Socket.IO: a text starts with a slash, and a missing one is the slash alone. */
function namespaceOf({ namespace = '' }: GatewayPlace): unknown {
  return typeof namespace === 'string' ? `/${namespace.replace(/^\//, '')}` : namespace;
}
