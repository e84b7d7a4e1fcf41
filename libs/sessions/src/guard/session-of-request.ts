import type { BaseSession } from '../session/session.js';

const SESSIONS = new WeakMap<object, BaseSession>();

/** The session that a guard has found, if any. */
export function sessionOf(request: unknown): BaseSession | undefined {
  return typeof request === 'object' && request !== null ? SESSIONS.get(request) : undefined;
}

/** Keeps the session of a request beside it, where nothing can list, serialise or overwrite it. */
export function rememberSession(request: object, session: BaseSession): void {
  SESSIONS.set(request, session);
}
