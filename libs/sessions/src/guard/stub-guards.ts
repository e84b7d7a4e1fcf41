import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { providersOf, type NestModule } from './nest-internals.js';

/**
 * The token of the guard that replaces every session guard of an application. Only tests provide it; otherwise null.
 */
export const STUB_GUARD = Symbol('nest-sessions:stub-guard');

/**
 * The guard that a test has put in place of all session guards, or of `base`, if any. Nest replaces a class where it is
 * used itself, but does not know the guards that `for` creates from it.
 */
export function stubOf(modules: ModulesContainer, base: Type | undefined): CanActivate | undefined {
  const all = [...modules.values()];
  const stubs = all.map(({ providers }) => providers.get(STUB_GUARD)?.instance as CanActivate | null | undefined);
  return stubs.find((stub) => stub) ?? (base && all.map((module) => replacementIn(module, base)).find((stub) => stub));
}

/** The answer of a guard, without an Observable. */
export function answerOf(guard: CanActivate, context: ExecutionContext): boolean | Promise<boolean> {
  const answer = guard.canActivate(context);
  return isObservable(answer) ? lastValueFrom(answer) : answer;
}

/**
 * What a module has instead of a guard class that it uses or provides itself. Another provider that the application
 * registers under the class as token does not count: it is for its own tables only.
 */
function replacementIn(module: NestModule, guard: Type): CanActivate | undefined {
  const provided = providersOf(module).includes(guard) ? module.providers.get(guard) : undefined;
  const instances = [module.injectables.get(guard), provided].map((wrapper) => wrapper?.instance as CanActivate | null);
  return instances.find((instance) => instance && instance.constructor !== guard) ?? undefined;
}
