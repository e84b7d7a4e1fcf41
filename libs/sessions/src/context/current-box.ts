import { AsyncLocalStorage } from 'node:async_hooks';
import { boxOf, type SessionBox } from '../guard/session-of-request.js';

const CURRENT = new AsyncLocalStorage<SessionBox>();

/** The box of the request that is being handled. */
export function currentBox(): SessionBox | undefined {
  return CURRENT.getStore();
}

/** Runs a function, and everything it starts, with a current box, into which the guard may still put a session. */
export function withBox<R>(box: SessionBox, fn: () => R): R {
  return CURRENT.run(box, fn);
}

/** The same with the box of a request. */
export function withBoxOf(request: object, next: () => void): void {
  withBox(boxOf(request), next);
}
