import { Get } from '@nestjs/common';
import { CurrentSession } from '@app/sessions';
import { In } from 'typeorm';
import { ActivityLog } from '../activity/activity-log.js';
import { Sessions } from '../sessions/sessions.js';
import { activityPage } from './pages/activity.page.js';
import { PageController } from './routes.js';

@PageController('account/activity')
export class ActivityPageController {
  constructor(
    private readonly log: ActivityLog,
    private readonly sessions: Sessions,
  ) {}

  @Get()
  async show(@CurrentSession('userId') userId: string): Promise<string> {
    const entries = await this.log.list(userId);
    const ids = [...new Set(entries.map(({ sessionId }) => sessionId))];
    return activityPage(entries, await this.sessions.list({ id: In(ids), userId, status: 'all' }));
  }
}
