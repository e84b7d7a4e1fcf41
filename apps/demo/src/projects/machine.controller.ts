import { Controller, Get, UseGuards } from '@nestjs/common';
import { CurrentSession, SessionGuard } from '@app/sessions';
import { type ApiKey, ApiKeys } from './api-keys.js';
import { ProjectsService } from './projects.service.js';

/** What a machine sees with a key of its project; the session of a person is refused here. */
@Controller('api/project')
@UseGuards(SessionGuard.for(ApiKeys))
export class MachineController {
  constructor(private readonly projects: ProjectsService) {}

  @Get()
  async project(@CurrentSession() key: ApiKey): Promise<object> {
    const { id, name } = await this.projects.get(key.projectId);
    return { id, name, key: { id: key.id, name: key.name } };
  }
}
