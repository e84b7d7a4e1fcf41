import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { SessionsConfigError } from '../errors/errors.js';
import { COPIES, inForRoot, NO_TABLES, rootTwice } from './messages.js';

/** The token of a text that says where `forRoot` was called, provided together with its options. */
export const ROOT_CALL = Symbol('nest-sessions:forRoot');

/** A token that modules of every copy of this package have, though their other tokens differ. */
export const ANY_COPY = Symbol.for('nest-sessions:copy');

/** The running call of a static method, and the place in the code that it comes from. */
export function callOf(owner: Type, method: string): string {
  const name = `${owner.name}.${method}`;
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, Reflect.get(owner, method) as () => void);
  const frame = /^ +at (?:async )?(.+)$/m.exec(trace.stack ?? '')?.[1];
  return frame === undefined ? name : `${name} at ${/\((.+)\)$/.exec(frame)?.[1] ?? frame}`;
}

/** @throws SessionsConfigError if two modules of an application would not know of each other */
export function checkOneSetUp(modules: ModulesContainer): void {
  const all = [...modules.values()];
  if (all.filter(hasCopy).length > 1) throw new SessionsConfigError([COPIES]);
  const calls = all.flatMap(({ providers }) => (providers.get(ROOT_CALL)?.instance as string | undefined) ?? []);
  if (calls.length > 1) throw new SessionsConfigError([inForRoot(rootTwice(calls))]);
}

/** The error if there is no registry of this copy of the package. */
export function noRegistry(modules: ModulesContainer): SessionsConfigError {
  return new SessionsConfigError([[...modules.values()].some(hasCopy) ? COPIES : NO_TABLES]);
}

function hasCopy({ providers }: { readonly providers: ReadonlyMap<unknown, unknown> }): boolean {
  return providers.has(ANY_COPY);
}
