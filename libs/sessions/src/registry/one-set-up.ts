import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { SessionsConfigError } from '../errors/errors.js';
import { COPIES, inForRoot, NO_TABLES, rootTwice } from './messages.js';

/** The token of a text that says where `forRoot` was called, beside the options that it was given. */
export const ROOT_CALL = Symbol('nest-sessions:forRoot');

/** The token that the module of any copy of this package has, whatever else of theirs is not the same. */
export const ANY_COPY = Symbol.for('nest-sessions:copy');

/** The call of a static method that is under way, and the place in the code that it comes from. */
export function callOf(owner: Type, method: string): string {
  const name = `${owner.name}.${method}`;
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, Reflect.get(owner, method) as () => void);
  const frame = /^ +at (?:async )?(.+)$/m.exec(trace.stack ?? '')?.[1];
  return frame === undefined ? name : `${name} at ${/\((.+)\)$/.exec(frame)?.[1] ?? frame}`;
}

/** @throws SessionsConfigError where an application has two modules of which one would not know of the other */
export function checkOneSetUp(modules: ModulesContainer): void {
  const all = [...modules.values()];
  if (all.filter(hasCopy).length > 1) throw new SessionsConfigError([COPIES]);
  const calls = all.flatMap(({ providers }) => (providers.get(ROOT_CALL)?.instance as string | undefined) ?? []);
  if (calls.length > 1) throw new SessionsConfigError([inForRoot(rootTwice(calls))]);
}

/** What is wrong where there is no registry of this copy of the package. */
export function noRegistry(modules: ModulesContainer): SessionsConfigError {
  return new SessionsConfigError([[...modules.values()].some(hasCopy) ? COPIES : NO_TABLES]);
}

function hasCopy({ providers }: { readonly providers: ReadonlyMap<unknown, unknown> }): boolean {
  return providers.has(ANY_COPY);
}
