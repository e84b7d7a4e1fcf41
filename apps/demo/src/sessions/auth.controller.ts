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

/** How sessions begin, and how their tokens are replaced. */
@ApiTooManyRequestsResponse(TOO_MANY_GUESSES)
@Controller('api')
export class AuthController {
  constructor(
    private readonly signUps: SignUpService,
    private readonly sessions: Sessions,
    private readonly logIns: LogInService,
  ) {}

  @ApiOperation({ summary: 'Sign up', description: 'The answer does not tell who has an account.' })
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

  @ApiOperation({ summary: 'Make the account of a link, and log in' })
  @ApiCreatedResponse({ description: 'The token.', schema: LOGGED_IN })
  @ApiBadRequestResponse(INVALID_BODY)
  @ApiForbiddenResponse(problem('The link has been used or is too old, or its address has an account by now.'))
  @Public()
  @Post('sign-up/finish')
  @NoStore()
  async finishSignUp(
    @Body({ schema: FINISH_SIGN_UP }) { token, password }: z.infer<typeof FINISH_SIGN_UP>,
    @Req() request: ClientRequest,
  ): Promise<Login> {
    const session = await this.signUps.finish(token, password, { request, presented: undefined });
    if (session === null)
      throw new ForbiddenException('The link has been used or is too old, or its address has an account by now.');
    return { token: session.authToken, expiresAt: session.expiresAt };
  }

  /** A token that is sent along is replaced: whoever had it before has nothing of the new login. @see ASVS 7.2.4 */
  @ApiOperation({ summary: 'Log in', description: 'A token that is sent along is replaced.' })
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
   * A new token for the session, which clients ask for now and then, so that one that leaked is soon of no use.
   *
   * Of several requests at once, such as those of two tabs, one gets the new token and the others `null`: no error, since
   * the session goes on. They use the token that the first one was given. Where that answer was lost nobody has the new
   * token, and the one before is honoured for half a minute more: the client logs in again.
   */
  @ApiOperation({ summary: 'Get a new token for the session' })
  @ApiOkResponse({ description: 'The new token; the old one is honoured for half a minute.', schema: ROTATED })
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
