import { BadRequestException, type HttpException, UnauthorizedException } from '@nestjs/common';
import type { ChallengeError } from '../http/challenge.js';
import type { Credentials } from '../http/credentials.js';
import type { BaseSession } from '../session/session.js';
import type { Access } from './access.decorators.js';
import { SESSION_OVER, SESSION_REQUIRED, SEVERAL_TOKENS } from './messages.js';

export type OneToken = Extract<Credentials, { kind: 'one' }>;

/** What has come of the credentials of a call. */
export type Found = Exclude<Credentials, OneToken> | FoundSession;

/** The session of a token, if it has any. */
interface FoundSession {
  readonly kind: 'one';
  readonly session: BaseSession | null;
  /** Whether a browser sends the token until it is told not to. */
  readonly byCookie: boolean;
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
