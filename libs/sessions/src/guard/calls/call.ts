import type { HttpException } from '@nestjs/common';
import type { HttpRequest } from '../../http/credentials.js';
import type { MaybePromise } from '../../util/maybe-promise.js';
import type { Opened } from './opened.js';

/** The call of a handler, as the guard reads it. */
export interface GuardedCall {
  /** What carries the credentials: an HTTP request, or an object with headers like one. */
  readonly request: HttpRequest;
  /** What carries the credentials if `request` has none: the handshake of a connection. */
  readonly handshake?: HttpRequest | undefined;
  /** The response of the HTTP platform, if the call has one. */
  readonly response?: unknown;
  /** What stays open after the call is answered. */
  readonly opened?: Opened | undefined;
  /** Calls with the same scope share one lookup; without it each call has its own. */
  readonly scope?: object;
  /**
   * The refusal in the form of the transport; without this it is thrown as it is.
   *
   * @param challenge what `WWW-Authenticate` says, if anything
   */
  refusal?(exception: HttpException, challenge: string | undefined): MaybePromise<Error>;
}
