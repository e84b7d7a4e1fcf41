import type { HttpRequest } from '../../http/credentials.js';

/** A call of a handler, as the guard reads it. */
export interface GuardedCall {
  /** What carries the credentials: a request of HTTP, or what has headers like one. */
  readonly request: HttpRequest;
  /** The response of the HTTP platform, where the call has one. */
  readonly response?: unknown;
}
