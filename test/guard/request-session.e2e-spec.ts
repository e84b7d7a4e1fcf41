import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  Req,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { afterEach, describe, expect, it } from 'vitest';
import {
  CurrentSession,
  type GuardedCall,
  Public,
  type RequestWithSession,
  SessionGuard,
  sessionOf,
  type SessionsModuleOptions,
  SessionsTable,
} from '@app/sessions';
import { SessionsTestingModule } from '@app/sessions/testing';
import { unknownCall } from '../../libs/sessions/src/guard/messages.js';
import { describePlatforms, HttpApp, type HttpSetUp, type Platform } from '../support/http-app.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}

const SECRET = 'a secret of thirty-two characters';
type Middleware = (request: never, response: never, next: () => void) => void;
/** Its types would put a session on every request of Express in this project. */
const expressSession = createRequire(import.meta.url)('express-session') as (options: object) => Middleware;
const theirSession = expressSession({ secret: SECRET, resave: false, saveUninitialized: true });

/** No random text has it by chance, as the ids of other libraries' sessions. */
const ANN = 'ann@example.com';

/** As a library that wants the name, and comes after the guard. */
@Injectable()
class LaterLibrary implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    context.switchToHttp().getRequest<{ session: unknown }>().session = { userId: 'theirs' };
    return next.handle();
  }
}

interface Seen {
  readonly onRequest: string | undefined;
  readonly kept: string | undefined;
  readonly inDump: boolean;
}

@UseGuards(SessionGuard)
@Controller()
class Routes {
  @Get()
  show(@Req() request: RequestWithSession<Sessions>, @CurrentSession('userId') current: string): Seen {
    const { session } = request;
    return {
      onRequest: session && (session.userId ?? `a ${session.constructor.name} of theirs`),
      kept: sessionOf<Sessions>(request)?.userId === current ? current : 'another',
      inDump: [inspect(request), Object.keys(request).join()].some((text) => text.includes(current)),
    };
  }

  @Public()
  @Get('public')
  public(@Req() request: object): object {
    return { has: 'session' in request };
  }

  @UseInterceptors(LaterLibrary)
  @Get('later')
  later(@Req() request: RequestWithSession<Sessions>, @CurrentSession('userId') current: string): object {
    return { onRequest: request.session?.userId, current };
  }
}

/** As an application makes one for a transport of its own. */
@Injectable()
class QueueGuard extends SessionGuard {
  protected override getCall(context: ExecutionContext): GuardedCall {
    return { request: context.getArgByIndex<GuardedCall['request']>(0) };
  }
}

class NotesQueue {
  add(this: void): void {}
}

interface SetUp extends HttpSetUp {
  readonly options?: SessionsModuleOptions;
  /** What a module of the application puts before its routes. */
  readonly middleware?: Middleware;
}

describePlatforms('request.session', (platform) => {
  let app: HttpApp;
  afterEach(() => app.close());

  const start = async (setUp: SetUp = {}) => void (app = await startOn(platform, setUp));
  const ask = async () => {
    const { authToken } = await app.nest.get(Sessions).create({ userId: ANN });
    return (await app.getAs(authToken, '/')).body;
  };

  it('is the session that the guard has found, and in no dump of the request', async () => {
    await start();
    expect(await ask()).toEqual({ onRequest: ANN, kept: ANN, inDump: false });
  });

  it('is not there on a public route', async () => {
    await start();
    expect((await app.get('/public')).body).toEqual({ has: false });
  });

  it('is not there where forRoot says so', async () => {
    await start({ options: { requestSession: false } });
    expect(await ask()).toEqual({ kept: ANN, inDump: false });
  });

  it('is another library’s that comes later', async () => {
    await start();
    const { authToken } = await app.nest.get(Sessions).create({ userId: ANN });
    expect((await app.getAs(authToken, '/later')).body).toEqual({ onRequest: 'theirs', current: ANN });
  });

  it('is asked for in no context of an unknown type: an error says what a subclass is to do', async () => {
    await start();
    const context = new ExecutionContextHost([{ headers: {} }], NotesQueue, NotesQueue.prototype.add);
    context.setType('queue');
    const guard = await app.nest.get(ModuleRef).create(SessionGuard);
    expect(() => guard.canActivate(context)).toThrow(new TypeError(unknownCall('queue')));
  });

  it('is not put on what is no request of HTTP', async () => {
    await start();
    const { authToken } = await app.nest.get(Sessions).create({ userId: ANN });
    const message = { headers: { authorization: `Bearer ${authToken}` } };
    const context = new ExecutionContextHost([message], NotesQueue, NotesQueue.prototype.add);
    context.setType('queue');
    const guard = await app.nest.get(ModuleRef).create(QueueGuard);
    expect(await guard.canActivate(context)).toBe(true);
    expect(sessionOf(context)).toMatchObject({ userId: ANN });
    expect(message).not.toHaveProperty('session');
  });
});

describe('request.session beside', () => {
  let app: HttpApp;
  afterEach(() => app.close());

  const ask = async () => {
    const { authToken } = await app.nest.get(Sessions).create({ userId: ANN });
    return (await app.getAs(authToken, '/')).body;
  };

  const orders: Readonly<Record<string, readonly [Platform, string, SetUp]>> = {
    'express-session, in main.ts': [
      'express',
      'a Session of theirs',
      { prepare: (nest) => void nest.use(theirSession) },
    ],
    'express-session, in a module': ['express', 'a Session of theirs', { middleware: theirSession }],
    'express-session, in a module on Fastify, which has it on Node’s own request': [
      'fastify',
      ANN,
      { middleware: theirSession },
    ],
    '@fastify/session, before the routes are made': [
      'fastify',
      'a Session of theirs',
      { prepare: registerFastifySession },
    ],
    '@fastify/session, after the routes are made': [
      'fastify',
      'a Session of theirs',
      {
        prepare: async (nest) => {
          await nest.init();
          await registerFastifySession(nest);
        },
      },
    ],
  };

  it.each(Object.entries(orders))(
    '%s: who has the name keeps it, and both work',
    async (_, [platform, name, setUp]) => {
      app = await startOn(platform, setUp);
      expect(await ask()).toEqual({ onRequest: name, kept: ANN, inDump: false });
    },
  );
});

async function registerFastifySession(nest: INestApplication): Promise<void> {
  const fastify = nest as NestFastifyApplication;
  await fastify.register(fastifyCookie);
  await fastify.register(fastifySession, { secret: SECRET, cookie: { secure: false } });
}

async function startOn(platform: Platform, { options, middleware, ...setUp }: SetUp): Promise<HttpApp> {
  @Module({
    imports: [SessionsTestingModule.forTables([Sessions], options)],
    controllers: [Routes],
  })
  class AppModule {
    configure(consumer: MiddlewareConsumer): void {
      if (middleware) consumer.apply(middleware).forRoutes('{*splat}');
    }
  }
  return HttpApp.start(platform, { imports: [AppModule] }, setUp);
}
