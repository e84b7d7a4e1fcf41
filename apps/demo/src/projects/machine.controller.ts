import { Body, Controller, Get, Patch, UseGuards } from '@nestjs/common';
import { CurrentSession, SessionGuard } from '@app/sessions';
import { body, type BodyOf, NAME } from '../http/body.js';
import { type ApiKey, ApiKeys, RequireKeyScopes } from './api-keys.js';
import { ProjectsService } from './projects.service.js';

const NAMED = body({ name: NAME });

/** What a machine does with a key of its project; the session of a person is refused here. */
@Controller('api/project')
@UseGuards(SessionGuard.for(ApiKeys))
export class MachineController {
  constructor(private readonly projects: ProjectsService) {}

  @RequireKeyScopes('project:read')
  @Get()
  async project(@CurrentSession() key: ApiKey): Promise<object> {
    const { id, name } = await this.projects.get(key.projectId);
    return { id, name, key: { id: key.id, name: key.name, scopes: key.scopes } };
  }

  @RequireKeyScopes('project:write')
  @Patch()
  async rename(
    @CurrentSession('projectId') id: string,
    @Body({ schema: NAMED }) { name }: BodyOf<typeof NAMED>,
  ): Promise<object> {
    return this.projects.rename(id, name);
  }
}
