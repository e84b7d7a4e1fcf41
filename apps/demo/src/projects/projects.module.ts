import { Module } from '@nestjs/common';
import { SessionsModule } from '@app/sessions';
import { ApiKeys } from './api-keys.js';
import { MachineController } from './machine.controller.js';
import { ProjectsController } from './projects.controller.js';
import { ProjectsService } from './projects.service.js';

@Module({
  imports: [SessionsModule.forFeature(ApiKeys)],
  controllers: [ProjectsController, MachineController],
  providers: [ProjectsService],
})
export class ProjectsModule {}
