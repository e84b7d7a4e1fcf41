import { setImmediate } from 'node:timers/promises';
import { Controller, type DynamicModule, Get, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SessionContextModule } from '../../libs/sessions/src/context/index.js';
import {
  CurrentSession,
  MemoryAdapter,
  SessionGuard,
  SessionsModule,
  SessionsTable,
} from '../../libs/sessions/src/index.js';
import type { ShortTurn } from '../short-turns.js';

const REQUESTS_OF_A_TURN = 100;

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}

@UseGuards(SessionGuard)
@Controller()
class SessionController {
  @Get()
  user(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

/** Where a guarded route has its session, other than `@CurrentSession`. */
export type Place = 'nowhere' | 'request.session' | 'SessionContext';

/** A turn of an application of its own, whose sessions are in memory: the CPU of a request, in microseconds. */
export async function guardedRoute(place: Place): Promise<ShortTurn> {
  const options = {
    adapter: new MemoryAdapter(),
    pruning: false,
    requestSession: place === 'request.session',
  } as const;
  const module: DynamicModule = {
    module: class {},
    imports: [
      SessionsModule.forRoot(options),
      SessionsModule.forFeature(Sessions),
      ...(place === 'SessionContext' ? [SessionContextModule] : []),
    ],
    controllers: [SessionController],
  };
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), { logger: ['error'] });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  const { authToken } = await app.get(Sessions).create({ userId: 'u1' });
  const headers = { authorization: `Bearer ${authToken}` };
  return async () => {
    const before = process.cpuUsage();
    for (let i = 0; i < REQUESTS_OF_A_TURN; i++) {
      const { statusCode } = await app.inject({ method: 'GET', url: '/', headers });
      if (statusCode !== 200) throw new Error(`A valid token was refused: ${statusCode}.`);
      // As between requests that come from a socket; what light-my-request leaves for later would pile up.
      await setImmediate();
    }
    // Each application pays for its own garbage.
    globalThis.gc!({ type: 'minor' });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / REQUESTS_OF_A_TURN;
  };
}
