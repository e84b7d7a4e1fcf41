import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTooManyRequestsResponse } from '@nestjs/swagger';
import { CurrentSession } from '@app/sessions';
import { ACTIVITY, listOf, TOO_MANY_GUESSES } from '../openapi/schemas.js';
import { ActivityLog } from './activity-log.js';

@ApiTooManyRequestsResponse(TOO_MANY_GUESSES)
@Controller('api/account/activity')
export class ActivityController {
  constructor(private readonly log: ActivityLog) {}

  /** The latest fifty. */
  @ApiOperation({ summary: 'What happened to your sessions' })
  @ApiOkResponse({ description: 'Newest first.', schema: listOf(ACTIVITY) })
  @Get()
  async list(@CurrentSession('userId') userId: string): Promise<object[]> {
    const entries = await this.log.list(userId);
    return entries.map(({ at, type, reason, sessionId }) => ({ at, type, reason, sessionId }));
  }
}
