import { Module } from '@nestjs/common';
import { SessionsModule } from '@app/sessions';
import { ApiKeys } from './api-keys.js';
import { KeysController } from './keys.controller.js';
import { MachineController } from './machine.controller.js';
import { ProjectKeys } from './project-keys.js';
import { ProjectsController } from './projects.controller.js';
import { ProjectsService } from './projects.service.js';

@Module({
  imports: [SessionsModule.forFeature(ApiKeys)],
  controllers: [ProjectsController, KeysController, MachineController],
  providers: [ProjectsService, ProjectKeys],
  exports: [ProjectsService, ProjectKeys],
})
export class ProjectsModule {}
