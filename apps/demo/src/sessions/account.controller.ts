import { Controller, Delete, Get, HttpCode, HttpStatus, NotFoundException, Param, Post } from '@nestjs/common';
import { CurrentSession } from '@app/sessions';
import { UsersService } from '../users/users.service.js';
import { type SessionView, viewOf } from './session-view.js';
import { type Session, Sessions } from './sessions.js';

/** What users do with their own sessions. @see OWASP ASVS 5.0, 7.4.2 and 7.5.2 */
@Controller('api')
export class AccountController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
  ) {}

  @Get('me')
  async me(@CurrentSession() session: Session): Promise<object> {
    const { id, email } = await this.users.get(session.userId);
    return { id, email, session: viewOf(session, session) };
  }

  @Get('account/sessions')
  async list(@CurrentSession() current: Session): Promise<SessionView[]> {
    const own = await this.sessions.list({ userId: current.userId, status: 'all' }, { take: 100 });
    return own.map((session) => viewOf(session, current));
  }

  @Delete('account/sessions/:id')
  @HttpCode(HttpStatus.NO_CONTENT)
  async revoke(@CurrentSession('userId') userId: string, @Param('id') id: string): Promise<void> {
    const revoked = await this.sessions.revokeAll({ id, userId });
    if (revoked === 0) throw new NotFoundException('You have no such session, or it has ended.');
  }

  @Post('account/sign-out-others')
  @HttpCode(HttpStatus.OK)
  async signOutOthers(@CurrentSession() current: Session): Promise<{ signedOut: number }> {
    return { signedOut: await this.sessions.revokeOthers(current, { userId: current.userId }) };
  }

  @Post('account/sign-out-everywhere')
  @HttpCode(HttpStatus.OK)
  async signOutEverywhere(@CurrentSession('userId') userId: string): Promise<{ signedOut: number }> {
    return { signedOut: await this.sessions.revokeAll({ userId }) };
  }
}
