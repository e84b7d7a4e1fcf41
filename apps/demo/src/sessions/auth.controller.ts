import { Body, Controller, HttpCode, HttpStatus, Post, Req, Res, UnauthorizedException } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiCreatedResponse,
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
  SESSION_ENDED,
  sessionsError,
  TOO_MANY_GUESSES,
  USER,
} from '../openapi/schemas.js';
import { UsersService } from '../users/users.service.js';
import { LogInService } from './log-in.service.js';
import { LOGIN, SIGN_UP } from './login.js';
import { type Session, Sessions } from './sessions.js';

interface Login {
  readonly token: string;
  readonly expiresAt: Date | null;
}

/** How sessions begin, and how their tokens are replaced. */
@ApiTooManyRequestsResponse(TOO_MANY_GUESSES)
@Controller('api')
export class AuthController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
    private readonly logIns: LogInService,
  ) {}

  @ApiOperation({ summary: 'Sign up' })
  @ApiCreatedResponse({ description: 'The new user.', schema: USER })
  @ApiBadRequestResponse(INVALID_BODY)
  @ApiConflictResponse(problem('Somebody has the e-mail address.'))
  @Public()
  @Post('sign-up')
  async signUp(
    @Body({ schema: SIGN_UP }) { email, password }: z.infer<typeof SIGN_UP>,
    @Req() request: ClientRequest,
  ): Promise<object> {
    return this.users.signUp(request, email, password);
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
