import { Body, Controller, Delete, Get, NotFoundException, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { CurrentSession } from 'nest-sessions';
import { ApiKeys } from './api-keys.entity.js';
import { NewKeyDto } from './new-key.dto.js';

/** People manage their keys. */
@Controller('keys')
export class KeysController {
  constructor(private readonly keys: ApiKeys) {}

  @Post()
  async create(@CurrentSession('userId') userId: string, @Body() { name, scopes }: NewKeyDto) {
    const key = await this.keys.create({ userId, name, scopes });
    return { id: key.id, key: key.authToken };
  }

  @Get()
  list(@CurrentSession('userId') userId: string) {
    return this.keys.list({ userId });
  }

  @Delete(':id')
  async revoke(@CurrentSession('userId') userId: string, @Param('id', ParseUUIDPipe) id: string) {
    if ((await this.keys.revokeAll({ id, userId })) === 0) throw new NotFoundException();
  }
}
