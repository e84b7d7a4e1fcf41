import type { BaseSession } from '../session.js';

/** A class whose instances are the objects that it is given. */
const Given = class {
  constructor(given: object) {
    return given;
  }
} as new (given: object) => object;

/**
 * A request with its session in a private field, where nothing can list, serialise or overwrite it. A `WeakMap` does the
 * same at ten times the cost, for every request.
 */
class WithSession extends Given {
  #session: BaseSession | undefined;

  static get(request: unknown): BaseSession | undefined {
    return typeof request === 'object' && request !== null && #session in request ? request.#session : undefined;
  }

  static set(request: object, session: BaseSession): void {
    const own = #session in request ? request : new WithSession(request);
    own.#session = session;
  }
}

/** The session that a guard has found, if any. */
export function sessionOf(request: unknown): BaseSession | undefined {
  return WithSession.get(request);
}

/** Keeps the session of a request with it. */
export function rememberSession(request: object, session: BaseSession): void {
  WithSession.set(request, session);
}
