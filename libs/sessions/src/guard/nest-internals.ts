import type { Type } from '@nestjs/common';
import { GUARDS_METADATA, MODULE_METADATA, SSE_METADATA } from '@nestjs/common/constants.js';
import type { ApplicationConfig, ModuleRef, ModulesContainer } from '@nestjs/core';

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

/** The guard that a module uses for a class. */
export function guardIn({ injectables }: NestModule, guard: Type): unknown {
  return injectables.get(guard)?.instance;
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
