import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiBadRequestResponse, ApiOkResponse, ApiOperation, ApiTooManyRequestsResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import { CurrentSession } from '@app/sessions';
import { ApiSession } from '@app/sessions/swagger';
import { body, NAME } from '../http/schemas.js';
import { INVALID_BODY, PROJECT, PROJECT_OF_KEY, TOO_MANY_GUESSES } from '../openapi/schemas.js';
import { type ApiKey, ApiKeys, RequireKeyScopes } from './api-keys.js';
import { ProjectsService } from './projects.service.js';

const NAMED = body({ name: NAME });

/** Routes for machines with a key of a project. Sessions of people are refused here. */
@ApiTooManyRequestsResponse(TOO_MANY_GUESSES)
@Controller('api/project')
@ApiSession(ApiKeys)
export class MachineController {
  constructor(private readonly projects: ProjectsService) {}

  @ApiOperation({ summary: 'The project of the key' })
  @ApiOkResponse({ description: 'The project, and the key.', schema: PROJECT_OF_KEY })
  @RequireKeyScopes('project:read')
  @Get()
  async project(@CurrentSession() key: ApiKey): Promise<object> {
    const { id, name } = await this.projects.get(key.projectId);
    return { id, name, key: { id: key.id, name: key.name, scopes: key.scopes } };
  }

  @ApiOperation({ summary: 'Rename the project of the key' })
  @ApiOkResponse({ description: 'The project.', schema: PROJECT })
  @ApiBadRequestResponse(INVALID_BODY)
  @RequireKeyScopes('project:write')
  @Patch()
  async rename(
    @CurrentSession('projectId') id: string,
    @Body({ schema: NAMED }) { name }: z.infer<typeof NAMED>,
  ): Promise<object> {
    return this.projects.rename(id, name);
  }
}
