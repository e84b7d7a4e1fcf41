import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Post,
} from '@nestjs/common';
import { CurrentSession } from '@app/sessions';
import { body, type BodyOf, NAME } from '../http/body.js';
import { NoStore } from '../http/no-store.decorator.js';
import { ApiKeys } from './api-keys.js';
import { ProjectsService } from './projects.service.js';

const NAMED = body({ name: NAME });

/** No project has such an id, so it is not found either. */
const KnownUuid = new ParseUUIDPipe({
  errorHttpStatusCode: HttpStatus.NOT_FOUND,
  exceptionFactory: () => new NotFoundException('You have no such project.'),
});

/** What users do with their projects and the keys of these. */
@Controller('api/projects')
export class ProjectsController {
  constructor(
    private readonly projects: ProjectsService,
    private readonly keys: ApiKeys,
  ) {}

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

  /** The key is in this response and nowhere else: the database has only its digest. */
  @Post(':id/keys')
  @NoStore()
  async createKey(
    @CurrentSession('userId') userId: string,
    @Param('id', KnownUuid) id: string,
    @Body({ schema: NAMED }) { name }: BodyOf<typeof NAMED>,
  ): Promise<object> {
    const project = await this.projects.getOwn(userId, id);
    const key = await this.keys.create({ projectId: project.id, name });
    return { id: key.id, name: key.name, key: key.authToken };
  }

  @Get(':id/keys')
  async listKeys(@CurrentSession('userId') userId: string, @Param('id', KnownUuid) id: string): Promise<object[]> {
    const project = await this.projects.getOwn(userId, id);
    const keys = await this.keys.list({ projectId: project.id });
    return keys.map((key) => ({ id: key.id, name: key.name, createdAt: key.createdAt }));
  }

  @Delete(':id/keys/:keyId')
  @HttpCode(HttpStatus.NO_CONTENT)
  async revokeKey(
    @CurrentSession('userId') userId: string,
    @Param('id', KnownUuid) id: string,
    @Param('keyId') keyId: string,
  ): Promise<void> {
    const project = await this.projects.getOwn(userId, id);
    const revoked = await this.keys.deleteAll({ id: keyId, projectId: project.id });
    if (revoked === 0) throw new NotFoundException('The project has no such key.');
  }
}
