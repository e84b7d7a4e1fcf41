import type { HttpException } from '@nestjs/common';
import type { HttpRequest } from '../../http/credentials.js';
import type { MaybePromise } from '../../util/maybe-promise.js';
import type { Opened } from './opened.js';

/** A call of a handler, as the guard reads it. */
export interface GuardedCall {
  /** What carries the credentials: a request of HTTP, or what has headers like one. */
  readonly request: HttpRequest;
  /** What carries them where `request` has none: the handshake of a connection. */
  readonly handshake?: HttpRequest | undefined;
  /** The response of the HTTP platform, where the call has one. */
  readonly response?: unknown;
  /** What stays open when the call is answered. */
  readonly opened?: Opened | undefined;
  /** Calls that have this in common share one look-up; without it each has its own. */
  readonly scope?: object;
  /**
   * The refusal as the transport tells it; without this it is thrown as it is.
   *
   * @param challenge what `WWW-Authenticate` says, if anything
   */
  refusal?(exception: HttpException, challenge: string | undefined): MaybePromise<Error>;
}
