import { Module } from '@nestjs/common';
import { SessionsModule } from '@app/sessions';
import { UsersModule } from '../users/users.module.js';
import { AccountController } from './account.controller.js';
import { AuthController } from './auth.controller.js';
import { LogInService } from './log-in.service.js';
import { PasswordChange } from './password-change.js';
import { PasswordController } from './password.controller.js';
import { Sessions } from './sessions.js';
import { StatisticsController } from './statistics.controller.js';

@Module({
  imports: [UsersModule, SessionsModule.forFeature(Sessions)],
  providers: [LogInService, PasswordChange],
  exports: [LogInService, PasswordChange],
  controllers: [AuthController, PasswordController, AccountController, StatisticsController],
})
export class AccountModule {}
