import { BadRequestException, type HttpException, UnauthorizedException } from '@nestjs/common';
import type { ChallengeError } from '../http/challenge.js';
import type { Credentials, HttpRequest } from '../http/credentials.js';
import type { BaseSession } from '../session/session.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import type { Access } from './access.decorators.js';
import { SESSION_OVER, SESSION_REQUIRED, SEVERAL_TOKENS } from './messages.js';

export type OneToken = Extract<Credentials, { kind: 'one' }>;

/** What has come of the credentials of a call. */
export type Found = Exclude<Credentials, OneToken> | FoundToken;

/** The session of a token, if it has any. */
export interface FoundToken {
  readonly kind: 'one';
  readonly session: BaseSession | null;
  /** What carried the token. */
  readonly request: HttpRequest;
  /** Whether a browser sends the token until it is told not to. */
  readonly byCookie: boolean;
  /** Whether what is open ends with the session already. */
  readonly isFollowed?: boolean;
}

/** A token that has a session. */
export type FoundSession = FoundToken & { readonly session: BaseSession };

export function isSession(found: Found): found is FoundSession {
  return found.kind === 'one' && found.session !== null;
}

/** Whether a call goes on without a session. */
export function mayLack(found: Found, access: Access | undefined): boolean {
  // Who comes with the cookie of an old session has to be able to sign in.
  return access === 'optional' && (found.kind === 'none' || (found.kind === 'one' && found.byCookie));
}

/** Why a call without a session is refused: what is thrown, and what the challenge says. */
export function lackOf({ kind }: Found): readonly [exception: HttpException, error?: ChallengeError] {
  switch (kind) {
    case 'none':
      return [new UnauthorizedException(SESSION_REQUIRED, { errorCode: 'ERR_SESSION_REQUIRED' })];
    case 'several':
      return [new BadRequestException(SEVERAL_TOKENS, { errorCode: 'ERR_SESSION_AMBIGUOUS' }), 'invalid_request'];
    case 'one':
      return [new UnauthorizedException(SESSION_OVER, { errorCode: 'ERR_SESSION_TOKEN_INVALID' }), 'invalid_token'];
  }
}

/** What one guard has found for all calls of a scope, with and without asking the database. */
interface Shared {
  plain?: MaybePromise<Found>;
  authoritative?: MaybePromise<Found>;
}

/** By scope, and by the class of the guard. */
const SHARED = new WeakMap<object, Map<unknown, Shared>>();

/** What a guard finds, once for all calls of a scope; those that come while it is looked for wait for the same answer. */
export function findOnce(
  scope: object,
  guard: unknown,
  authoritative: boolean,
  find: () => MaybePromise<Found>,
): MaybePromise<Found> {
  const byGuard = SHARED.get(scope) ?? new Map<unknown, Shared>();
  const shared = byGuard.get(guard) ?? {};
  const known = shared.authoritative ?? (authoritative ? undefined : shared.plain);
  if (known) return known;
  SHARED.set(scope, byGuard.set(guard, shared));
  const slot = authoritative ? 'authoritative' : 'plain';
  const found = settled(find);
  // Those that come later go on at once.
  if (found instanceof Promise) found.then((value) => (shared[slot] = value)).catch(() => undefined);
  return (shared[slot] = found);
}

/** What a function gives, where it throws at once too. */
function settled<T>(fn: () => MaybePromise<T>): MaybePromise<T> {
  try {
    return fn();
  } catch (error) {
    return Promise.reject(error);
  }
}
