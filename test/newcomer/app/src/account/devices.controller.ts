import { Controller, Delete, Get, HttpCode, NotFoundException, Param, ParseUUIDPipe } from '@nestjs/common';
import { CurrentSession } from 'nest-sessions';
import { type Session, Sessions } from '../sessions/sessions.entity.js';

@Controller('devices')
export class DevicesController {
  constructor(private readonly sessions: Sessions) {}

  @Get()
  list(@CurrentSession() current: Session) {
    return this.sessions.list({ userId: current.userId }, { current });
  }

  @HttpCode(204)
  @Delete(':id')
  async end(@CurrentSession('userId') userId: string, @Param('id', ParseUUIDPipe) id: string) {
    if ((await this.sessions.revokeAll({ id, userId })) === 0) throw new NotFoundException();
  }
}
