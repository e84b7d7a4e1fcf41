import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { CurrentSession, SessionGuard } from 'nest-sessions';
import { type ApiKey, ApiKeys, RequireKeyScopes } from './api-keys.entity.js';

/** Machines use them. */
@UseGuards(SessionGuard.for(ApiKeys))
@Controller('reports')
export class ReportsController {
  @RequireKeyScopes('reports:read')
  @Get()
  read(@CurrentSession() key: ApiKey) {
    return { readBy: key.name };
  }

  @RequireKeyScopes('reports:write')
  @Post()
  write(@CurrentSession('name') name: string) {
    return { writtenBy: name };
  }
}
