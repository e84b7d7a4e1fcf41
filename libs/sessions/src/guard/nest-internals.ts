import type { CanActivate, Type } from '@nestjs/common';
import { GUARDS_METADATA, MODULE_METADATA, SSE_METADATA } from '@nestjs/common/constants.js';
import { type ApplicationConfig, ContextIdFactory, ModuleRef, type ModulesContainer } from '@nestjs/core';

export { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';

// Undocumented parts of Nest that the library relies on. nest-internals.spec.ts says what to do if they change.

/** A module of an application, with the guards that Nest has created for it. */
export type NestModule = ModulesContainer extends Map<string, infer M> ? M : never;

/** The guards that `@UseGuards` has put on a controller or handler: classes and instances. */
export function guardsOn(target: object): readonly unknown[] {
  return (Reflect.getMetadata(GUARDS_METADATA, target) ?? []) as readonly unknown[];
}

/** Whether a handler is an `@Sse()` one. */
export function isStream(handler: object): boolean {
  return Reflect.getMetadata(SSE_METADATA, handler) === true;
}

/** Whether a handler is for events, whose sender waits for no answer, unlike that of a message. */
export function isEventHandler(handler: object): boolean {
  // From @nestjs/microservices, which may not be installed.
  return Reflect.getMetadata('microservices:handler_type', handler) === 2;
}

/** What Nest records about a guard that it creates. */
export type MadeByNest = ReturnType<ApplicationConfig['getGlobalRequestGuards']>[number];

/** The guard that a module uses for a class. */
export function guardIn({ injectables }: NestModule, guard: Type): unknown {
  return injectables.get(guard)?.instance;
}

/** Returns a guard for a connection that is being opened. */
export type GuardSource = (opened: object) => CanActivate | Promise<CanActivate>;

/** The source of Nest's guard. A request-scoped or transient one is created for each connection. */
export function sourceOf(made: MadeByNest): GuardSource {
  if (made.isDependencyTreeStatic() && !made.isTransient) return () => made.instance;
  const modules = made.host!.getProviderByKey<ModuleRef>(ModuleRef).instance;
  return async (opened) => guardMadeFor(opened, modules, made.token as Type<CanActivate>, true);
}

/** Creates a guard for one call, which `request` stands for. @param strict whether only that very module may provide it */
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

/** The providers in a module's `@Module`: classes and custom providers. */
export function providersOf({ metatype }: NestModule): readonly unknown[] {
  return (Reflect.getMetadata(MODULE_METADATA.PROVIDERS, metatype) ?? []) as readonly unknown[];
}

/** The global filters, guards, interceptors and pipes of an application; `undefined` if Nest keeps them elsewhere. */
export function applicationConfigOf(module: ModuleRef): ApplicationConfig | undefined {
  return (Reflect.get(module, 'container') as { readonly applicationConfig?: ApplicationConfig } | undefined)
    ?.applicationConfig;
}

/**
 * Reports each connected microservice that has handlers but does not inherit the application's guards: Nest announces a
 * service, and right after asks the configuration for the guards of each handler.
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

/** Whether a handler is for RPC messages. */
export function isMessageHandler(handler: object): boolean {
  return Reflect.hasMetadata('microservices:pattern', handler);
}

/** Whether a class is a WebSocket gateway. */
export function isGateway(metatype: object): boolean {
  return Reflect.getMetadata('websockets:is_gateway', metatype) === true;
}

/** Where a gateway listens, from its decorator. Each place of an application has one server. */
export interface GatewayPlace {
  readonly port: number;
  readonly path?: unknown;
  readonly namespace?: unknown;
}

/** Where a gateway listens. */
export function placeOf(gateway: object): GatewayPlace {
  const options = Reflect.getMetadata('websockets:gateway_options', gateway) as object | undefined;
  return { ...options, port: (Reflect.getMetadata('port', gateway) as number | undefined) ?? 0 };
}
