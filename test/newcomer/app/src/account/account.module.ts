import { Module } from '@nestjs/common';
import { SessionsModule } from 'nest-sessions';
import { AuthController } from '../auth/auth.controller.js';
import { Sessions } from '../sessions/sessions.entity.js';
import { UsersModule } from '../users/users.module.js';
import { AccountController } from './account.controller.js';
import { DevicesController } from './devices.controller.js';

@Module({
  imports: [SessionsModule.forFeature(Sessions), UsersModule],
  controllers: [AuthController, AccountController, DevicesController],
})
export class AccountModule {}
