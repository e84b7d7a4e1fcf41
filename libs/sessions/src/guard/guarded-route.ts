import type { ExecutionContext } from '@nestjs/common';
import { type Access, accessOf } from './access.decorators.js';
import { guardsOn, isStream } from './nest-internals.js';
import { isUnlimited, type Requirements, requirementsOf } from './requirements.js';

/** Marks the guards of this library. */
export const SESSION_GUARD = Symbol('nest-sessions:guard');

/** What decorators declare about a route, as one guard sees it. */
export interface GuardedRoute extends Requirements {
  /** Whether this guard decides, because no other one is closer to the handler. */
  readonly decides: boolean;
  readonly access: Access | undefined;
  /** Whether any valid session is enough for it. */
  readonly isUnlimited: boolean;
  /** Whether the route answers with a stream of events. */
  readonly isStream: boolean;
}

/** What routes require. Their decorators never change, so this is read once. */
export class GuardedRoutes {
  /** By handler, then controller. */
  readonly #routes = new WeakMap<object, WeakMap<object, GuardedRoute>>();

  constructor(private readonly guard: object) {}

  /** The route of a call. */
  of(context: ExecutionContext): GuardedRoute {
    const [handler, controller] = [context.getHandler(), context.getClass()];
    const ofHandler = this.#routes.get(handler) ?? new WeakMap<object, GuardedRoute>();
    let route = ofHandler.get(controller);
    if (!route) {
      route = guardedRoute(this.guard, handler, controller);
      this.#routes.set(handler, ofHandler.set(controller, route));
    }
    return route;
  }
}

/** What a route declares to a guard. */
export function guardedRoute(guard: object, handler: object, controller: object): GuardedRoute {
  const level = levelOf(guard, handler, controller);
  const requirements = requirementsOf(controller, handler);
  return {
    decides: level !== undefined,
    access: accessOf(handler, controller, level === 'handler'),
    isUnlimited: isUnlimited(requirements),
    isStream: isStream(handler),
    ...requirements,
  };
}

/** Where on the route a guard stands; `undefined` if another session guard is closer to the handler. */
function levelOf(guard: object, handler: object, controller: object): 'handler' | 'controller' | 'global' | undefined {
  for (const [level, target] of [
    ['handler', handler],
    ['controller', controller],
  ] as const) {
    const guards = guardsOn(target).filter(isSessionGuard);
    if (guards.length > 0)
      return guards.some((other) => other === guard || other === guard.constructor) ? level : undefined;
  }
  return 'global';
}

/** Whether this is a session guard, or the class of one. */
export function isSessionGuard(guard: unknown): boolean {
  const made: unknown = typeof guard === 'function' ? guard.prototype : guard;
  return typeof made === 'object' && made !== null && SESSION_GUARD in made;
}
