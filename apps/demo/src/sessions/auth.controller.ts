import {
  Body,
  Controller,
  ForbiddenException,
  HttpCode,
  HttpStatus,
  Post,
  Req,
  Res,
  UnauthorizedException,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiForbiddenResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTooManyRequestsResponse,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import type { z } from 'zod';
import { type ClientRequest, CurrentSession, OptionalSession, Public } from '@app/sessions';
import { NoStore } from '../http/no-store.decorator.js';
import {
  INVALID_BODY,
  LOGIN as LOGGED_IN,
  problem,
  ROTATED,
  SENT,
  SESSION_ENDED,
  sessionsError,
  TOO_MANY_GUESSES,
} from '../openapi/schemas.js';
import { LogInService } from './log-in.service.js';
import { FINISH_SIGN_UP, LOGIN, SIGN_UP } from './login.js';
import { type Session, Sessions } from './sessions.js';
import { SignUpService } from './sign-up.service.js';

interface Login {
  readonly token: string;
  readonly expiresAt: Date | null;
}

/** Logging in and out, and new tokens. */
@ApiTooManyRequestsResponse(TOO_MANY_GUESSES)
@Controller('api')
export class AuthController {
  constructor(
    private readonly signUps: SignUpService,
    private readonly sessions: Sessions,
    private readonly logIns: LogInService,
  ) {}

  @ApiOperation({ summary: 'Sign up', description: 'The response does not reveal who has an account.' })
  @ApiAcceptedResponse({ description: 'A message was sent.', schema: SENT })
  @ApiBadRequestResponse(INVALID_BODY)
  @Public()
  @Post('sign-up')
  @HttpCode(HttpStatus.ACCEPTED)
  async signUp(
    @Body({ schema: SIGN_UP }) { email }: z.infer<typeof SIGN_UP>,
    @Req() request: ClientRequest,
  ): Promise<{ message: string }> {
    await this.signUps.begin(email, request);
    return { message: 'We have sent a link to this address.' };
  }

  @ApiOperation({ summary: 'Create the account of a link, and log in' })
  @ApiCreatedResponse({ description: 'The token.', schema: LOGGED_IN })
  @ApiBadRequestResponse(INVALID_BODY)
  @ApiForbiddenResponse(problem('The link has been used or has expired, or its address already has an account.'))
  @Public()
  @Post('sign-up/finish')
  @NoStore()
  async finishSignUp(
    @Body({ schema: FINISH_SIGN_UP }) { token, password }: z.infer<typeof FINISH_SIGN_UP>,
    @Req() request: ClientRequest,
  ): Promise<Login> {
    const session = await this.signUps.finish(token, password, { request, presented: undefined });
    if (session === null)
      throw new ForbiddenException('The link has been used or has expired, or its address already has an account.');
    return { token: session.authToken, expiresAt: session.expiresAt };
  }

  /** Replaces a token in the request, so that nobody who knows it shares the new session. @see ASVS 7.2.4 */
  @ApiOperation({ summary: 'Log in', description: 'A token in the request is replaced.' })
  @ApiHeader({ name: 'user-agent', required: false, description: 'The device, for the list of sessions' })
  @ApiOkResponse({ description: 'The token.', schema: LOGGED_IN })
  @ApiBadRequestResponse(INVALID_BODY)
  @ApiUnauthorizedResponse(problem('The e-mail address or the password is wrong.'))
  @ApiConflictResponse(
    sessionsError('The password was changed twice while it was compared.', 'ERR_SESSION_CREDENTIALS'),
  )
  @OptionalSession()
  @Post('login')
  @HttpCode(HttpStatus.OK)
  @NoStore()
  async login(
    @Body({ schema: LOGIN }) { email, password }: z.infer<typeof LOGIN>,
    @Req() request: ClientRequest,
    @CurrentSession() presented: Session | undefined,
    @Res({ passthrough: true }) response: { setHeader(name: string, value: string): void },
  ): Promise<Login> {
    const session = await this.logIns.logIn(email, password, { request, presented });
    if (session === null) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="api"');
      throw new UnauthorizedException('The e-mail address or the password is wrong.');
    }
    return { token: session.authToken, expiresAt: session.expiresAt };
  }

  /**
   * Rotates the session's token. Clients call it from time to time, so that a leaked token soon becomes useless.
   *
   * Of several requests at once, such as those of two tabs, one gets the new token and the others `null`. That is no error:
   * the session continues, and the others use the token of the first one. If that response was lost, nobody has the new
   * token. The old one works for another half minute, and then the client logs in again.
   */
  @ApiOperation({ summary: 'Get a new token for the session' })
  @ApiOkResponse({ description: 'The new token. The old one works for half a minute.', schema: ROTATED })
  @ApiConflictResponse(SESSION_ENDED)
  @Post('session/rotate')
  @HttpCode(HttpStatus.OK)
  @NoStore()
  async rotate(@CurrentSession() session: Session): Promise<{ token: string | null }> {
    const rotated = await this.sessions.rotate(session);
    return { token: rotated?.authToken ?? null };
  }

  @ApiOperation({ summary: 'Log out' })
  @ApiNoContentResponse({ description: 'The token is refused from now on.' })
  @Post('logout')
  @HttpCode(HttpStatus.NO_CONTENT)
  async logout(@CurrentSession() session: Session): Promise<void> {
    await this.sessions.revoke(session);
  }
}
