import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CanActivate,
  Controller,
  type DynamicModule,
  Get,
  type INestApplication,
  Req,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { CurrentSession, SessionGuard, type TableOptions } from '../../libs/sessions/src/index.js';
import type { Contender } from '../contender.js';
import { digestAndMap } from '../contenders/map.js';
import { Sessions, sessionsModules, type UserTable } from '../contenders/nest-sessions.js';
import { pgNamed } from '../contenders/pg.js';
import { findOneBy } from '../contenders/typeorm.js';
import type { Database } from '../databases.js';
import { bearerToken } from './bearer.js';

export type Platform = 'express' | 'fastify';

interface UserRequest {
  readonly headers: { readonly authorization?: string };
  userId?: string;
}

@Controller()
class BareController {
  @Get()
  user(): object {
    return { userId: 'anybody' };
  }
}

@Controller()
class SessionController {
  @UseGuards(SessionGuard)
  @Get()
  user(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

/** The route without a guard. */
export async function bareApp(platform: Platform): Promise<number> {
  return listen(platform, { module: class {}, controllers: [BareController] });
}

/** The route behind the library's guard. */
export async function sessionGuardApp(
  platform: Platform,
  database: Database,
  options?: TableOptions,
  table: UserTable = Sessions,
): Promise<number> {
  const imports = sessionsModules(database, table, options);
  return listen(platform, { module: class {}, imports, controllers: [SessionController] });
}

/** The route behind a guard of one named statement. */
export async function pgGuardApp(platform: Platform, database: Database): Promise<number> {
  return guardedApp(platform, pgNamed(database));
}

/** The route behind a guard of a digest and a `Map`. */
export async function mapGuardApp(platform: Platform, database: Database): Promise<number> {
  return guardedApp(platform, digestAndMap(database));
}

/** The route behind a guard of TypeORM's `findOneBy`. */
export async function findOneByApp(platform: Platform, database: Database): Promise<number> {
  return guardedApp(platform, await findOneBy(database));
}

async function guardedApp(platform: Platform, contender: Contender): Promise<number> {
  const guard: CanActivate = {
    async canActivate(context) {
      const request = context.switchToHttp().getRequest<UserRequest>();
      const found = await contender.validate(bearerToken(request.headers.authorization));
      if (!found) throw new UnauthorizedException();
      request.userId = found.userId;
      return true;
    },
  };

  @Controller()
  class GuardedController {
    @UseGuards(guard)
    @Get()
    user(@Req() request: UserRequest): object {
      return { userId: request.userId };
    }
  }
  return listen(platform, { module: class {}, controllers: [GuardedController] });
}

async function listen(platform: Platform, module: DynamicModule): Promise<number> {
  const options = { logger: ['error'] as ['error'], abortOnError: false };
  const app: INestApplication =
    platform === 'fastify'
      ? await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), options)
      : await NestFactory.create(module, new ExpressAdapter(), options);
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer() as Server;
  // Connections wait while others have their turns.
  server.keepAliveTimeout = 0;
  return (server.address() as AddressInfo).port;
}
