import type { ExecutionContext } from '@nestjs/common';
import { type Access, accessOf } from './access.decorators.js';
import { guardsOn, isStream } from './nest-internals.js';
import { type Requirements, requirementsOf } from './requirements.js';

/** What a guard of the library has, which others have not. */
export const SESSION_GUARD = Symbol('nest-sessions:guard');

/** What decorators say of a route, as a guard sees it. */
export interface GuardedRoute extends Requirements {
  /** Whether this guard decides, since no other one stands closer to the handler. */
  readonly decides: boolean;
  readonly access: Access | undefined;
  /** Whether it answers by a stream of events. */
  readonly isStream: boolean;
}

/** What routes ask for, which their decorators have said once and for all. */
export class GuardedRoutes {
  /** By handler and controller. */
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

/** What a route says to a guard. */
export function guardedRoute(guard: object, handler: object, controller: object): GuardedRoute {
  const level = levelOf(guard, handler, controller);
  return {
    decides: level !== undefined,
    access: accessOf(handler, controller, level === 'handler'),
    isStream: isStream(handler),
    ...requirementsOf(controller, handler),
  };
}

/** Where on the route a guard stands; nowhere where another session guard stands closer to the handler. */
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

/** Whether something is a session guard, or the class of one. */
export function isSessionGuard(guard: unknown): boolean {
  const made: unknown = typeof guard === 'function' ? guard.prototype : guard;
  return typeof made === 'object' && made !== null && SESSION_GUARD in made;
}
