import { BadRequestException, type HttpException, UnauthorizedException } from '@nestjs/common';
import type { ChallengeError } from '../http/challenge.js';
import type { Credentials, HttpRequest } from '../http/credentials.js';
import type { BaseSession } from '../session/session.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { privateField } from '../util/private-field.js';
import type { Access } from './access.decorators.js';
import type { GuardedCall } from './calls/call.js';
import type { FollowedSession } from './followed-session.js';
import { SESSION_OVER, SESSION_REQUIRED, SEVERAL_TOKENS } from './messages.js';

export type OneToken = Extract<Credentials, { kind: 'one' }>;

/** What the credentials of a call led to. */
export type Found = Exclude<Credentials, OneToken> | FoundToken;

/** A token, and its session if it has one. */
export interface FoundToken {
  readonly kind: 'one';
  readonly session: BaseSession | null;
  /** The request that carried the token. */
  readonly request: HttpRequest;
  /** Whether it came in a cookie, which a browser sends until told otherwise. */
  readonly byCookie: boolean;
  /** The session of the open connection, which already ends with it. */
  readonly followed?: FollowedSession;
  /** Whether the calls of the connection share `session`: each gives away only copies of it. */
  readonly isShared?: boolean;
}

/** A token that has a session. */
export type FoundSession = FoundToken & { readonly session: BaseSession };

export function isSession(found: Found): found is FoundSession {
  return found.kind === 'one' && found.session !== null;
}

/** Whether a call goes on without a session. */
export function mayLack(found: Found, access: Access | undefined): boolean {
  // A client with the cookie of an old session must be able to sign in.
  return access === 'optional' && (found.kind === 'none' || (found.kind === 'one' && found.byCookie));
}

/** Why a call without a session is refused: the exception, and the error of the challenge. */
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

/** What one guard found for all calls of a scope, with and without asking the database. */
interface Shared {
  plain?: MaybePromise<Found>;
  authoritative?: MaybePromise<Found>;
}

/** Of a scope, by guard class. */
const SHARED = privateField<Map<unknown, Shared>>();

/** Looks for what a call leads to. */
type Find = (call: GuardedCall, authoritative: boolean) => MaybePromise<Found>;

/** Looks once for all calls of a scope. Calls that arrive meanwhile wait for the same answer. */
export function findOnce(
  scope: object,
  guard: unknown,
  call: GuardedCall,
  authoritative: boolean,
  find: Find,
): MaybePromise<Found> {
  const byGuard = SHARED.get(scope) ?? new Map<unknown, Shared>();
  const shared = byGuard.get(guard) ?? {};
  const known = shared.authoritative ?? (authoritative ? undefined : shared.plain);
  if (known) return known;
  SHARED.set(scope, byGuard.set(guard, shared));
  return share(shared, authoritative ? 'authoritative' : 'plain', settled(find, call, authoritative));
}

function share(shared: Shared, slot: keyof Shared, found: MaybePromise<Found>): MaybePromise<Found> {
  // Later calls get the value without waiting.
  if (found instanceof Promise) found.then((value) => (shared[slot] = value)).catch(() => undefined);
  return (shared[slot] = found);
}

/** Returns what a lookup returns; if it throws synchronously, a rejection. */
function settled(find: Find, call: GuardedCall, authoritative: boolean): MaybePromise<Found> {
  try {
    return find(call, authoritative);
  } catch (error) {
    return Promise.reject(error);
  }
}
