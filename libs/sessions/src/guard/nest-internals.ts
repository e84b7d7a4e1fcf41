import type { CanActivate, Type } from '@nestjs/common';
import { GUARDS_METADATA, MODULE_METADATA, SSE_METADATA } from '@nestjs/common/constants.js';
import { type ApplicationConfig, ContextIdFactory, ModuleRef, type ModulesContainer } from '@nestjs/core';

export { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';

// What Nest does not document, and the library relies on; nest-internals.spec.ts says what to do where it has changed.

/** A module of an application, with the guards that Nest has made for it. */
export type NestModule = ModulesContainer extends Map<string, infer M> ? M : never;

/** The guards that `@UseGuards` has put on a controller, or on a handler: classes and instances. */
export function guardsOn(target: object): readonly unknown[] {
  return (Reflect.getMetadata(GUARDS_METADATA, target) ?? []) as readonly unknown[];
}

/** Whether a handler is one of `@Sse()`. */
export function isStream(handler: object): boolean {
  return Reflect.getMetadata(SSE_METADATA, handler) === true;
}

/** Whether a handler is one of events, which nobody waits for; that of a message is told what it comes to. */
export function isEventHandler(handler: object): boolean {
  // Of @nestjs/microservices, which need not be there.
  return Reflect.getMetadata('microservices:handler_type', handler) === 2;
}

/** What Nest knows of a guard that it makes. */
export type MadeByNest = ReturnType<ApplicationConfig['getGlobalRequestGuards']>[number];

/** The guard that a module uses for a class. */
export function guardIn({ injectables }: NestModule, guard: Type): unknown {
  return injectables.get(guard)?.instance;
}

/** Gives a guard for what is being opened. */
export type GuardSource = (opened: object) => CanActivate | Promise<CanActivate>;

/** A guard as Nest has it: one that depends on what there is of each call is made for what is being opened. */
export function sourceOf(made: MadeByNest): GuardSource {
  if (made.isDependencyTreeStatic() && !made.isTransient) return () => made.instance;
  const modules = made.host!.getProviderByKey<ModuleRef>(ModuleRef).instance;
  return async (opened) => guardMadeFor(opened, modules, made.token as Type<CanActivate>, true);
}

/** A guard that Nest makes for each call, for one that `request` stands for. @param strict whether it is of that very module */
export async function guardMadeFor(
  request: object,
  modules: ModuleRef,
  guard: Type<CanActivate>,
  strict: boolean,
): Promise<CanActivate> {
  const context = ContextIdFactory.create();
  modules.registerRequestByContextId(request, context);
  return modules.resolve(guard, context, { strict });
}

/** What `@Module` names as providers of a module: classes and custom providers. */
export function providersOf({ metatype }: NestModule): readonly unknown[] {
  return (Reflect.getMetadata(MODULE_METADATA.PROVIDERS, metatype) ?? []) as readonly unknown[];
}

/** The filters, guards, interceptors and pipes of a whole application; none where Nest keeps them elsewhere. */
export function applicationConfigOf(module: ModuleRef): ApplicationConfig | undefined {
  return (Reflect.get(module, 'container') as { readonly applicationConfig?: ApplicationConfig } | undefined)
    ?.applicationConfig;
}

/**
 * Tells of each service for messages that is connected to an application and has handlers, but not the application's guards:
 * Nest asks the configuration for them with each handler that it makes ready, right after it has told of the service.
 */
export function onServiceWithoutGuards(modules: ModulesContainer, config: ApplicationConfig, tell: () => void): void {
  let latest = { asked: false };
  modules.getRpcTargetRegistry<{ getHandlers?(): ReadonlyMap<unknown, unknown> }>().subscribe((service) => {
    const own = (latest = { asked: false });
    config.getGlobalGuards = () => {
      latest.asked = true;
      return Object.getPrototypeOf(config).getGlobalGuards.call(config) as CanActivate[];
    };
    queueMicrotask(() => {
      Reflect.deleteProperty(config, 'getGlobalGuards');
      if (!own.asked && (service.getHandlers?.().size ?? 0) > 0) tell();
    });
  });
}

/** Whether a handler is one of messages, of RPC. */
export function isMessageHandler(handler: object): boolean {
  return Reflect.hasMetadata('microservices:pattern', handler);
}

/** Whether a class is a gateway of WebSockets. */
export function isGateway(metatype: object): boolean {
  return Reflect.getMetadata('websockets:is_gateway', metatype) === true;
}

/** Where a gateway listens, as its decorator says; each place of an application has one server. */
export interface GatewayPlace {
  readonly port: number;
  readonly path?: unknown;
  readonly namespace?: unknown;
}

/** The place of a gateway. */
export function placeOf(gateway: object): GatewayPlace {
  const options = Reflect.getMetadata('websockets:gateway_options', gateway) as object | undefined;
  return { ...options, port: (Reflect.getMetadata('port', gateway) as number | undefined) ?? 0 };
}
