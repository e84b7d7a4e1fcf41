import { Controller, Get } from '@nestjs/common';
import { CurrentSession } from '@app/sessions';
import { ActivityLog } from './activity-log.js';

@Controller('api/account/activity')
export class ActivityController {
  constructor(private readonly log: ActivityLog) {}

  /** The latest fifty. */
  @Get()
  async list(@CurrentSession('userId') userId: string): Promise<object[]> {
    const entries = await this.log.list(userId);
    return entries.map(({ at, type, reason, sessionId }) => ({ at, type, reason, sessionId }));
  }
}
