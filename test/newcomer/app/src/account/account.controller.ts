import { Body, Controller, Get, HttpCode, Post, UseGuards } from '@nestjs/common';
import { CurrentSession, RequireFresh, SessionGuard } from 'nest-sessions';
import { DataSource } from 'typeorm';
import { CurrentUser } from '../auth/current-user.decorator.js';
import { type Session, Sessions } from '../sessions/sessions.entity.js';
import { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';
import { NewPasswordDto } from './new-password.dto.js';

@Controller('account')
export class AccountController {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: Sessions,
    private readonly dataSource: DataSource,
  ) {}

  @UseGuards(SessionGuard.for(Sessions, { relations: ['user'] }))
  @Get('me')
  me(@CurrentUser() user: User) {
    return user;
  }

  /** Ends all other sessions of the user. */
  @RequireFresh('10m')
  @HttpCode(200)
  @Post('password')
  async changePassword(@CurrentSession() session: Session, @Body() { password }: NewPasswordDto) {
    const { userId } = session;
    const hash = await this.users.hash(password);
    const ended = await this.dataSource.transaction(async (manager) => {
      const others = await this.sessions.revokeOthers(session, { userId }, { reason: 'credentials_changed', manager });
      await this.users.setPasswordHash(userId, hash, manager);
      return others;
    });
    return { ended };
  }
}
