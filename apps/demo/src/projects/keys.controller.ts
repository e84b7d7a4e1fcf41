import {
  Body,
  ConflictException,
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
import { statusOf } from '../sessions/status.js';
import { type ApiKey, ApiKeys, KEY_SCOPES } from './api-keys.js';
import { ProjectsService } from './projects.service.js';

const NEW_KEY = body({ name: NAME, scopes: { someOf: KEY_SCOPES, fallback: ['project:read'] } });

/** No project has such an id, so it is not found either. */
const KnownUuid = new ParseUUIDPipe({
  errorHttpStatusCode: HttpStatus.NOT_FOUND,
  exceptionFactory: () => new NotFoundException('You have no such project.'),
});

/** What users do with the keys of their projects. */
@Controller('api/projects/:id/keys')
export class KeysController {
  constructor(
    private readonly projects: ProjectsService,
    private readonly keys: ApiKeys,
  ) {}

  /** The key is in this response and nowhere else: the database has only its digest. */
  @Post()
  @NoStore()
  async create(
    @CurrentSession('userId') userId: string,
    @Param('id', KnownUuid) id: string,
    @Body({ schema: NEW_KEY }) { name, scopes }: BodyOf<typeof NEW_KEY>,
  ): Promise<object> {
    const project = await this.projects.getOwn(userId, id);
    const key = await this.keys.create({ projectId: project.id, name, scopes });
    return { ...viewOf(key), key: key.authToken };
  }

  @Get()
  async list(@CurrentSession('userId') userId: string, @Param('id', KnownUuid) id: string): Promise<object[]> {
    const project = await this.projects.getOwn(userId, id);
    const keys = await this.keys.list({ projectId: project.id, status: 'all' }, { take: 100 });
    return keys.map(viewOf);
  }

  /** The new key is in this response and nowhere else. The one before works for a day; whoever uses it later ends both. */
  @Post(':keyId/rotate')
  @HttpCode(HttpStatus.OK)
  @NoStore()
  async rotate(
    @CurrentSession('userId') userId: string,
    @Param('id', KnownUuid) id: string,
    @Param('keyId') keyId: string,
  ): Promise<object> {
    const project = await this.projects.getOwn(userId, id);
    const key = await this.keys.get({ id: keyId, projectId: project.id });
    if (key === null) throw new NotFoundException(NO_SUCH_KEY);
    const rotated = await this.keys.rotate(key);
    if (rotated === null) throw new ConflictException('Another request has just rotated the key.');
    return { ...viewOf(rotated), key: rotated.authToken };
  }

  @Delete(':keyId')
  @HttpCode(HttpStatus.NO_CONTENT)
  async revoke(
    @CurrentSession('userId') userId: string,
    @Param('id', KnownUuid) id: string,
    @Param('keyId') keyId: string,
  ): Promise<void> {
    const project = await this.projects.getOwn(userId, id);
    const revoked = await this.keys.revokeAll({ id: keyId, projectId: project.id }, { reason: 'administrative' });
    if (revoked === 0) throw new NotFoundException(NO_SUCH_KEY);
  }
}

const NO_SUCH_KEY = 'The project has no such key, or it was revoked.';

function viewOf(key: ApiKey): object {
  const { id, name, scopes, createdAt, lastUsedAt } = key;
  return { id, name, scopes, ...statusOf(key), createdAt, lastUsedAt };
}
