import { Module } from '@nestjs/common';
import { SessionsModule } from '@app/sessions';
import { Sessions } from '../sessions/sessions.js';
import { ActivityController } from './activity.controller.js';
import { ActivityLog } from './activity-log.js';

@Module({
  imports: [SessionsModule.forFeature(Sessions)],
  controllers: [ActivityController],
  providers: [ActivityLog],
  exports: [ActivityLog],
})
export class ActivityModule {}
