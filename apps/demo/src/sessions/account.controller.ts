import { Controller, Delete, Get, HttpCode, HttpStatus, NotFoundException, Param, Post } from '@nestjs/common';
import { CurrentSession } from '@app/sessions';
import { Not } from 'typeorm';
import { UsersService } from '../users/users.service.js';
import { type Session, Sessions } from './sessions.js';

/** A session as its owner sees it: never with a token. */
interface SessionView {
  readonly id: string;
  readonly device: unknown;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly isCurrent: boolean;
  readonly isExpired: boolean;
}

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

  @Post('account/sessions/:id/expire')
  @HttpCode(HttpStatus.NO_CONTENT)
  async expire(@CurrentSession('userId') userId: string, @Param('id') id: string): Promise<void> {
    const session = await this.sessions.get({ id, userId, status: 'all' }, { autoExtend: false });
    if (session === null) throw new NotFoundException('You have no such session.');
    await this.sessions.expire(session);
  }

  @Delete('account/sessions/:id')
  @HttpCode(HttpStatus.NO_CONTENT)
  async delete(@CurrentSession('userId') userId: string, @Param('id') id: string): Promise<void> {
    const deleted = await this.sessions.deleteAll({ id, userId, status: 'all' });
    if (deleted === 0) throw new NotFoundException('You have no such session.');
  }

  @Post('account/sign-out-others')
  @HttpCode(HttpStatus.OK)
  async signOutOthers(@CurrentSession() { id, userId }: Session): Promise<{ signedOut: number }> {
    return { signedOut: await this.sessions.deleteAll({ userId, id: Not(id) }) };
  }

  @Post('account/sign-out-everywhere')
  @HttpCode(HttpStatus.OK)
  async signOutEverywhere(@CurrentSession('userId') userId: string): Promise<{ signedOut: number }> {
    return { signedOut: await this.sessions.deleteAll({ userId }) };
  }
}

function viewOf({ id, data, createdAt, expiresAt, isExpired }: Session, current: Session): SessionView {
  return { id, device: data, createdAt, expiresAt, isCurrent: id === current.id, isExpired };
}
