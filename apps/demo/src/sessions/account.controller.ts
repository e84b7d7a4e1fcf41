import { Controller, Delete, Get, HttpCode, HttpStatus, NotFoundException, Param, Post } from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import { CurrentSession, RequireFresh } from '@app/sessions';
import { listOf, ME, problem, SESSION, SIGNED_OUT, TOO_MANY_GUESSES } from '../openapi/schemas.js';
import { UsersService } from '../users/users.service.js';
import { type SessionView, viewOf } from './session-view.js';
import { type Session, Sessions } from './sessions.js';

/** A user's own sessions. @see OWASP ASVS 5.0, 7.4.2 and 7.5.2 */
@ApiTooManyRequestsResponse(TOO_MANY_GUESSES)
@Controller('api')
export class AccountController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
  ) {}

  @ApiOperation({ summary: 'The current user and session' })
  @ApiOkResponse({ description: 'You, and this session.', schema: ME })
  @Get('me')
  async me(@CurrentSession() session: Session): Promise<object> {
    const { id, email } = await this.users.get(session.userId);
    return { id, email, session: viewOf({ ...session, isCurrent: true }) };
  }

  @ApiOperation({ summary: 'Your sessions' })
  @ApiOkResponse({ description: 'Newest first, including ended sessions.', schema: listOf(SESSION) })
  @Get('account/sessions')
  async list(@CurrentSession() current: Session): Promise<SessionView[]> {
    const own = await this.sessions.list({ userId: current.userId, status: 'all' }, { take: 100, current });
    return own.map(viewOf);
  }

  @ApiOperation({ summary: 'End one of your sessions' })
  @ApiNoContentResponse({ description: 'Its token is refused from now on.' })
  @ApiNotFoundResponse(problem('You have no such session, or it has ended.'))
  @RequireFresh('10m')
  @Delete('account/sessions/:id')
  @HttpCode(HttpStatus.NO_CONTENT)
  async revoke(@CurrentSession('userId') userId: string, @Param('id') id: string): Promise<void> {
    const revoked = await this.sessions.revokeAll({ id, userId });
    if (revoked === 0) throw new NotFoundException('You have no such session, or it has ended.');
  }

  @ApiOperation({ summary: 'End all your other sessions' })
  @ApiOkResponse({ description: 'The number of ended sessions.', schema: SIGNED_OUT })
  @RequireFresh('10m')
  @Post('account/sign-out-others')
  @HttpCode(HttpStatus.OK)
  async signOutOthers(@CurrentSession() current: Session): Promise<{ signedOut: number }> {
    return { signedOut: await this.sessions.revokeOthers(current, { userId: current.userId }) };
  }

  @ApiOperation({ summary: 'End all your sessions' })
  @ApiOkResponse({ description: 'The number of ended sessions, including this one.', schema: SIGNED_OUT })
  @RequireFresh('10m')
  @Post('account/sign-out-everywhere')
  @HttpCode(HttpStatus.OK)
  async signOutEverywhere(@CurrentSession('userId') userId: string): Promise<{ signedOut: number }> {
    return { signedOut: await this.sessions.revokeAll({ userId }) };
  }
}
