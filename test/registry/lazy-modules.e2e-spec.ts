import { Module } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryAdapter, SessionsConfigError, SessionsModule, SessionsTable } from '@app/sessions';
import { cannotWork, inTable } from '../../libs/sessions/src/errors/messages.js';
import { REGISTERED_LATE } from '../../libs/sessions/src/registry/messages.js';

class Sessions extends SessionsTable({}) {}
class Links extends SessionsTable({ table: 'links' }) {}

@Module({ imports: [SessionsModule.forFeature(Links)] })
class LinksModule {}

describe.each(['memory', 'sqlite'])('a module that is loaded lazily, on %s', (name) => {
  let application: TestingModule;
  afterEach(() => application.close());

  async function start(...tables: (typeof Sessions | typeof Links)[]): Promise<LazyModuleLoader> {
    const storage = TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: ':memory:',
      entities: [Sessions.entity, Links.entity],
      synchronize: true,
    });
    const inMemory = name === 'memory';
    application = await Test.createTestingModule({
      imports: [
        ...(inMemory ? [] : [storage]),
        SessionsModule.forRoot({ pruning: false, ...(inMemory && { adapter: new MemoryAdapter() }) }),
        ...tables.map((table) => SessionsModule.forFeature(table)),
      ],
    }).compile();
    await application.init();
    return application.get(LazyModuleLoader);
  }

  it('cannot bring a table, which nobody would have checked, and nobody would prune', async () => {
    const loader = await start(Sessions);
    const loading = loader.load(() => LinksModule);
    await expect(loading).rejects.toThrow(SessionsConfigError);
    await expect(loading).rejects.toThrow(cannotWork([inTable('links', REGISTERED_LATE)]));
    const { authToken } = await application.get(Sessions).create({});
    expect(await application.get(Sessions).authenticate(authToken)).not.toBeNull();
  });

  it('can use a table that the application has', async () => {
    const loader = await start(Links);
    const loaded = await loader.load(() => LinksModule);
    expect(loaded.get(Links, { strict: false })).toBe(application.get(Links));
  });
});
