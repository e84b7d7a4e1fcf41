import { Module } from '@nestjs/common';
import { SessionsModule } from '@app/sessions';
import { MailModule } from '../mail/mail.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountController } from './account.controller.js';
import { AuthController } from './auth.controller.js';
import { LogInService } from './log-in.service.js';
import { PasswordChange } from './password-change.js';
import { PasswordController } from './password.controller.js';
import { Sessions } from './sessions.js';
import { SignUpService } from './sign-up.service.js';
import { SignUps } from './sign-ups.js';
import { StatisticsController } from './statistics.controller.js';

@Module({
  imports: [MailModule, UsersModule, SessionsModule.forFeature([Sessions, SignUps])],
  providers: [LogInService, PasswordChange, SignUpService],
  exports: [LogInService, PasswordChange, SignUpService],
  controllers: [AuthController, PasswordController, AccountController, StatisticsController],
})
export class AccountModule {}
