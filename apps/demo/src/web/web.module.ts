import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { SessionsModule } from '@app/sessions';
import { ActivityModule } from '../activity/activity.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { AccountModule } from '../sessions/account.module.js';
import { Sessions } from '../sessions/sessions.js';
import { MailModule } from '../mail/mail.module.js';
import { StatisticsModule } from '../statistics/statistics.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccessController } from './access.controller.js';
import { ActivityPageController } from './activity.controller.js';
import { AssetsController } from './assets.controller.js';
import { DevicesController } from './devices.controller.js';
import { ProjectPagesController } from './keys.controller.js';
import { OutboxController } from './outbox.controller.js';
import { PageErrors } from './page-errors.filter.js';
import { PasswordPagesController } from './password.controller.js';
import { StatisticsPageController } from './statistics.controller.js';

/** The pages, which do in a browser what the API does. */
@Module({
  imports: [
    AccountModule,
    MailModule,
    SessionsModule.forFeature(Sessions),
    UsersModule,
    ProjectsModule,
    ActivityModule,
    StatisticsModule,
  ],
  controllers: [
    AssetsController,
    AccessController,
    DevicesController,
    ProjectPagesController,
    ActivityPageController,
    PasswordPagesController,
    StatisticsPageController,
    ...(process.env['NODE_ENV'] === 'production' ? [] : [OutboxController]),
  ],
  providers: [{ provide: APP_FILTER, useClass: PageErrors }],
})
export class WebModule {}
