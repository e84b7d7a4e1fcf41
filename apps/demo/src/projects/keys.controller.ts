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
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import type { z } from 'zod';
import { CurrentSession } from '@app/sessions';
import { body, NAME, someOf } from '../http/schemas.js';
import { NoStore } from '../http/no-store.decorator.js';
import { INVALID_BODY, KEY, listOf, NEW_KEY as SHOWN_KEY, problem, TOO_MANY_GUESSES } from '../openapi/schemas.js';
import { statusOf } from '../sessions/status.js';
import { type ApiKey, KEY_SCOPES } from './api-keys.js';
import { NO_SUCH_KEY, ProjectKeys } from './project-keys.js';

const NEW_KEY = body({ name: NAME, scopes: someOf(KEY_SCOPES).default(['project:read']) });

/** No project has an invalid id, so the answer is 404 too. */
const KnownUuid = new ParseUUIDPipe({
  errorHttpStatusCode: HttpStatus.NOT_FOUND,
  exceptionFactory: () => new NotFoundException('You have no such project.'),
});

/** The keys of a user's projects. */
@ApiNotFoundResponse(problem('You have no such project, or it has no such key.'))
@ApiTooManyRequestsResponse(TOO_MANY_GUESSES)
@Controller('api/projects/:id/keys')
export class KeysController {
  constructor(private readonly keys: ProjectKeys) {}

  /** Only this response contains the key: the database has only its digest. */
  @ApiOperation({ summary: 'Create a key' })
  @ApiCreatedResponse({ description: 'The key.', schema: SHOWN_KEY })
  @ApiBadRequestResponse(INVALID_BODY)
  @Post()
  @NoStore()
  async create(
    @CurrentSession('userId') userId: string,
    @Param('id', KnownUuid) id: string,
    @Body({ schema: NEW_KEY }) { name, scopes }: z.infer<typeof NEW_KEY>,
  ): Promise<object> {
    const key = await this.keys.create(userId, id, { name, scopes });
    return { ...viewOf(key), key: key.authToken };
  }

  @ApiOperation({ summary: 'The keys of a project' })
  @ApiOkResponse({ description: 'Newest first, including revoked keys.', schema: listOf(KEY) })
  @Get()
  async list(@CurrentSession('userId') userId: string, @Param('id', KnownUuid) id: string): Promise<object[]> {
    return (await this.keys.list(userId, id)).map(viewOf);
  }

  /** Only this response contains the new key. */
  @ApiOperation({ summary: 'Replace a key' })
  @ApiOkResponse({ description: 'The new key. The previous one works for a day.', schema: SHOWN_KEY })
  @ApiConflictResponse(problem('Another request has just replaced it.'))
  @Post(':keyId/rotate')
  @HttpCode(HttpStatus.OK)
  @NoStore()
  async rotate(
    @CurrentSession('userId') userId: string,
    @Param('id', KnownUuid) id: string,
    @Param('keyId') keyId: string,
  ): Promise<object> {
    const rotated = await this.keys.rotate(userId, id, keyId);
    return { ...viewOf(rotated), key: rotated.authToken };
  }

  @ApiOperation({ summary: 'Revoke a key' })
  @ApiNoContentResponse({ description: 'It is refused from now on.' })
  @Delete(':keyId')
  @HttpCode(HttpStatus.NO_CONTENT)
  async revoke(
    @CurrentSession('userId') userId: string,
    @Param('id', KnownUuid) id: string,
    @Param('keyId') keyId: string,
  ): Promise<void> {
    if (!(await this.keys.revoke(userId, id, keyId))) throw new NotFoundException(NO_SUCH_KEY);
  }
}

function viewOf(key: ApiKey): object {
  const { id, name, scopes, createdAt, lastUsedAt } = key;
  return { id, name, scopes, ...statusOf(key), createdAt, lastUsedAt };
}
