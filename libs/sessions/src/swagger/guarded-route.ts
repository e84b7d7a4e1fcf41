import type { Type } from '@nestjs/common';
import { accessOf } from '../guard/access.decorators.js';
import { isSessionGuard } from '../guard/guarded-route.js';
import { guardIn, guardsOn } from '../guard/nest-internals.js';
import { requirementsOf, type Requirements } from '../guard/requirements.js';
import type { SessionGuard } from '../guard/session.guard.js';
import type { SessionsRegistry } from '../registry/sessions.registry.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { Route } from './routes.js';

/** What a guard requires of requests to a route. */
export interface GuardedRoute extends Route, Requirements {
  /** The tables whose sessions pass. */
  readonly tables: readonly SessionsStore[];
  /** Whether requests without credentials pass, too. */
  readonly optional: boolean;
}

/** What the deciding guard of a route requires; `undefined` if there is none, or the route is public. */
export function guardedRoute(
  route: Route,
  globalGuards: readonly object[],
  registry: SessionsRegistry,
): GuardedRoute | undefined {
  const { controller, handler } = route;
  const onHandler = guardOn(handler, route);
  const guard = onHandler ?? guardOn(controller, route) ?? globalGuards.find(isGuard);
  const access = accessOf(handler, controller, onHandler !== undefined);
  if (!guard || access === 'public') return undefined;
  const references = guard['tables'];
  const tables = references.length === 0 ? [registry.store()] : references.map((table) => registry.store(table));
  return { ...route, ...requirementsOf(controller, handler), tables, optional: access === 'optional' };
}

function guardOn(target: object, { module }: Route): SessionGuard | undefined {
  return guardsOn(target)
    .map((guard) => (typeof guard === 'function' ? guardIn(module, guard as Type) : guard))
    .find(isGuard);
}

function isGuard(guard: unknown): guard is SessionGuard {
  return isSessionGuard(guard);
}
