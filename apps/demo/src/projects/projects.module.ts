import { Module } from '@nestjs/common';
import { SessionsModule } from '@app/sessions';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeys } from './api-keys.js';
import { MachineController } from './machine.controller.js';
import { Project } from './project.entity.js';
import { ProjectsController } from './projects.controller.js';
import { ProjectsService } from './projects.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Project]), SessionsModule.forFeature(ApiKeys)],
  controllers: [ProjectsController, MachineController],
  providers: [ProjectsService],
})
export class ProjectsModule {}
