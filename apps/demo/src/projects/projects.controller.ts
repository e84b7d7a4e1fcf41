import { Body, Controller, Get, Post } from '@nestjs/common';
import { CurrentSession } from '@app/sessions';
import { body, type BodyOf, NAME } from '../http/body.js';
import { ProjectsService } from './projects.service.js';

const NAMED = body({ name: NAME });

/** What users do with their projects. */
@Controller('api/projects')
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @Post()
  async create(
    @CurrentSession('userId') userId: string,
    @Body({ schema: NAMED }) { name }: BodyOf<typeof NAMED>,
  ): Promise<object> {
    return this.projects.create(userId, name);
  }

  @Get()
  async list(@CurrentSession('userId') userId: string): Promise<object[]> {
    return this.projects.list(userId);
  }
}
