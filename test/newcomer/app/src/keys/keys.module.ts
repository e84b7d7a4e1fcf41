import { Module } from '@nestjs/common';
import { SessionsModule } from 'nest-sessions';
import { ApiKeys } from './api-keys.entity.js';
import { KeysController } from './keys.controller.js';
import { ReportsController } from './reports.controller.js';

@Module({
  imports: [SessionsModule.forFeature(ApiKeys)],
  controllers: [KeysController, ReportsController],
})
export class KeysModule {}
