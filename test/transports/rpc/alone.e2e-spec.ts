import { Controller, type INestMicroservice } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CurrentSession, SessionGuard, SessionsTable } from '@app/sessions';
import { SessionsTestingModule } from '@app/sessions/testing';
import { optionsOf, pattern, RpcClient } from './rpc-app.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' } },
  credentials: [{ payload: 'authToken' }],
}) {}

@Controller()
class Notes {
  @MessagePattern(pattern('me'))
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }
}

describe('a service for messages without an application beside it', () => {
  let service: INestMicroservice;
  let client: RpcClient;
  beforeAll(async () => {
    const options = await optionsOf('tcp');
    const module = await Test.createTestingModule({
      imports: [SessionsTestingModule.forTables([Sessions])],
      controllers: [Notes],
      providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
    }).compile();
    service = module.createNestMicroservice(options);
    await service.listen();
    client = new RpcClient('tcp', options);
  });
  afterAll(async () => {
    await client.close();
    await service.close();
  });

  it('is guarded, though it has no platform of HTTP', async () => {
    const sessions = service.get(Sessions);
    const { authToken } = await sessions.create({ userId: 'ann' });
    expect(await client.send('me', authToken)).toBe('ann');
    await expect(client.send('me')).rejects.toMatchObject({ errorCode: 'ERR_SESSION_REQUIRED' });
    await expect(client.send('me', 'x'.repeat(64))).rejects.toMatchObject({ errorCode: 'ERR_SESSION_TOKEN_INVALID' });
    const failing = vi.spyOn(sessions, 'authenticate').mockRejectedValue(new Error('connection lost'));
    await expect(client.send('me', authToken)).rejects.toMatchObject({ errorCode: 'ERR_SESSION_UNAVAILABLE' });
    failing.mockRestore();
  });
});
