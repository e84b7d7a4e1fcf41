import { Body, Controller, Get, Post } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import type { z } from 'zod';
import { CurrentSession } from '@app/sessions';
import { body, NAME } from '../http/schemas.js';
import { INVALID_BODY, listOf, PROJECT, TOO_MANY_GUESSES } from '../openapi/schemas.js';
import { ProjectsService } from './projects.service.js';

const NAMED = body({ name: NAME });

/** A user's projects. */
@ApiTooManyRequestsResponse(TOO_MANY_GUESSES)
@Controller('api/projects')
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @ApiOperation({ summary: 'Create a project' })
  @ApiCreatedResponse({ description: 'The new project.', schema: PROJECT })
  @ApiBadRequestResponse(INVALID_BODY)
  @Post()
  async create(
    @CurrentSession('userId') userId: string,
    @Body({ schema: NAMED }) { name }: z.infer<typeof NAMED>,
  ): Promise<object> {
    return this.projects.create(userId, name);
  }

  @ApiOperation({ summary: 'Your projects' })
  @ApiOkResponse({ description: 'Sorted by name.', schema: listOf(PROJECT) })
  @Get()
  async list(@CurrentSession('userId') userId: string): Promise<object[]> {
    return this.projects.list(userId);
  }
}
