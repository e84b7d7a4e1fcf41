import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { providersOf, type NestModule } from './nest-internals.js';

/** The token of the guard in place of every session guard of an application, which only a test gives; else null. */
export const STUB_GUARD = Symbol('nest-sessions:stub-guard');

/**
 * The guard that a test has put in place of all session guards, or of `base`, if there is any: Nest replaces a class where it
 * is used itself, and knows nothing of the guards that are made of it.
 */
export function stubOf(modules: ModulesContainer, base: Type | undefined): CanActivate | undefined {
  const all = [...modules.values()];
  const stubs = all.map(({ providers }) => providers.get(STUB_GUARD)?.instance as CanActivate | null | undefined);
  return stubs.find((stub) => stub) ?? (base && all.map((module) => replacementIn(module, base)).find((stub) => stub));
}

/** What a guard says, without an Observable. */
export function answerOf(guard: CanActivate, context: ExecutionContext): boolean | Promise<boolean> {
  const answer = guard.canActivate(context);
  return isObservable(answer) ? lastValueFrom(answer) : answer;
}

/**
 * What stands in a module in place of a class that was given itself, by `@UseGuards` or among its providers. Another provider
 * that the application has under the token of the class is no such thing: that is for its tables alone.
 */
function replacementIn(module: NestModule, guard: Type): CanActivate | undefined {
  const provided = providersOf(module).includes(guard) ? module.providers.get(guard) : undefined;
  const instances = [module.injectables.get(guard), provided].map((wrapper) => wrapper?.instance as CanActivate | null);
  return instances.find((instance) => instance && instance.constructor !== guard) ?? undefined;
}
