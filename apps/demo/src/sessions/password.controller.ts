import { Body, Controller, ForbiddenException, HttpCode, HttpStatus, Post, Req } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiForbiddenResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import type { z } from 'zod';
import { type ClientRequest, CurrentSession, RequireFresh } from '@app/sessions';
import { body, NEW_PASSWORD, PASSWORD } from '../http/schemas.js';
import { NoStore } from '../http/no-store.decorator.js';
import { INVALID_BODY, LOGIN, problem, SESSION_ENDED, SIGNED_OUT, TOO_MANY_GUESSES } from '../openapi/schemas.js';
import { LogInService } from './log-in.service.js';
import { PasswordChange } from './password-change.js';
import { type Session, Sessions } from './sessions.js';

const PROOF = body({ password: PASSWORD });
const CHANGE = body({ password: NEW_PASSWORD });

/** A logged-in user's password. */
@ApiTooManyRequestsResponse(TOO_MANY_GUESSES)
@Controller('api/account')
export class PasswordController {
  constructor(
    private readonly logIns: LogInService,
    private readonly sessions: Sessions,
    private readonly passwords: PasswordChange,
  ) {}

  /**
   * Gives a new token after a password check; the previous one is refused.
   *
   * A wrong password gets 403, because the token is still valid, which a 401 would deny. @see ASVS 7.2.4 and 7.5.3
   */
  @ApiOperation({ summary: 'Confirm your password' })
  @ApiOkResponse({ description: 'A new token. The previous one is refused.', schema: LOGIN })
  @ApiBadRequestResponse(INVALID_BODY)
  @ApiForbiddenResponse(problem('The password is wrong.'))
  @ApiConflictResponse(SESSION_ENDED)
  @Post('reauthenticate')
  @HttpCode(HttpStatus.OK)
  @NoStore()
  async reauthenticate(
    @CurrentSession() session: Session,
    @Body({ schema: PROOF }) { password }: z.infer<typeof PROOF>,
    @Req() request: ClientRequest,
  ): Promise<{ token: string; expiresAt: Date | null }> {
    if (!(await this.logIns.confirm(session, password, request)))
      throw new ForbiddenException('The password is wrong.');
    const { authToken, expiresAt } = await this.sessions.reauthenticate(session);
    return { token: authToken, expiresAt };
  }

  /** Changes the password and ends all other sessions. @see ASVS 7.4.3 and 7.5.1 */
  @ApiOperation({ summary: 'Change your password', description: 'This ends all your other sessions.' })
  @ApiOkResponse({ description: 'The number of ended sessions.', schema: SIGNED_OUT })
  @ApiBadRequestResponse(INVALID_BODY)
  @RequireFresh('10m')
  @Post('password')
  @HttpCode(HttpStatus.OK)
  async change(
    @CurrentSession() session: Session,
    @Body({ schema: CHANGE }) { password }: z.infer<typeof CHANGE>,
  ): Promise<{ signedOut: number }> {
    return { signedOut: await this.passwords.change(session, password) };
  }
}
