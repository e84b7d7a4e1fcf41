import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  Inject,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  Scope,
  SetMetadata,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, HttpAdapterHost, REQUEST } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { LoggerModule } from 'nestjs-pino';
import { tap } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { OptionalSession, Public, SessionGuard, sessionOf, SessionsTable } from '@app/sessions';
import { SessionsTestingModule } from '@app/sessions/testing';
import { describePlatforms, HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' }, role: { type: 'string', default: 'member' } },
}) {}

/** What the parts of the application have seen. */
const seen: { by: string; userId: string | undefined }[] = [];
const see = (by: string, request: object): void => void seen.push({ by, userId: sessionOf<Sessions>(request)?.userId });

@Injectable()
class RolesGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const role = Reflect.getMetadata('role', context.getHandler()) as string | undefined;
    return role === undefined || sessionOf<Sessions>(context)?.role === role;
  }
}

@Injectable()
class AuditInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(tap(() => see('interceptor', context)));
  }
}

@Catch(HttpException)
class AuditFilter implements ExceptionFilter<HttpException> {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  catch(exception: HttpException, host: ArgumentsHost): void {
    see('filter', host);
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), exception.getResponse(), exception.getStatus());
  }
}

@Injectable({ scope: Scope.REQUEST })
class CurrentUser {
  constructor(@Inject(REQUEST) private readonly request: object) {
    see('constructor of a request’s provider', request);
  }

  get id(): string | undefined {
    return sessionOf<Sessions>(this.request)?.userId;
  }
}

@Controller()
class Routes {
  @Get('me')
  me(): object {
    return {};
  }

  @SetMetadata('role', 'admin')
  @Get('admin')
  admin(): object {
    return {};
  }

  @Public()
  @Get('public')
  public(): object {
    return {};
  }

  @OptionalSession()
  @Get('optional')
  optional(): object {
    return {};
  }
}

@Controller('request')
class RequestScopedRoutes {
  constructor(@Inject(CurrentUser) private readonly user: CurrentUser) {}

  @Get()
  me(): object {
    return { userId: this.user.id };
  }
}

/** What the logger of a request has written. */
const logged: { userId?: string; msg: string }[] = [];
const stream = { write: (line: string) => void logged.push(JSON.parse(line) as (typeof logged)[number]) };

@Module({
  imports: [
    SessionsTestingModule.forTables([Sessions]),
    ThrottlerModule.forRoot({
      throttlers: [{ ttl: 60_000, limit: 3 }],
      getTracker: (request) => sessionOf<Sessions>(request)?.userId ?? String(request['ip']),
    }),
    LoggerModule.forRoot({
      forRoutes: ['{*splat}'],
      pinoHttp: [{ customProps: (request) => ({ userId: sessionOf<Sessions>(request)?.userId }) }, stream],
    }),
  ],
  controllers: [Routes, RequestScopedRoutes],
  providers: [
    CurrentUser,
    { provide: APP_GUARD, useClass: SessionGuard },
    { provide: APP_GUARD, useClass: RolesGuard },
    { provide: APP_GUARD, useClass: ThrottlerGuard },
    { provide: APP_INTERCEPTOR, useClass: AuditInterceptor },
    { provide: APP_FILTER, useClass: AuditFilter },
  ],
})
class AppModule {
  configure(consumer: MiddlewareConsumer): void {
    const middleware = (request: object, _: unknown, next: () => void): void => {
      see('middleware', request);
      next();
    };
    consumer.apply(middleware).forRoutes('{*splat}');
  }
}

describePlatforms('sessionOf', (platform) => {
  let app: HttpApp;
  let people = 0;
  beforeAll(async () => {
    app = await HttpApp.start(platform, { imports: [AppModule] });
  });
  beforeEach(() => {
    seen.length = 0;
    logged.length = 0;
  });
  afterAll(() => app.close());

  const someone = async (attributes: { role?: string } = {}) =>
    app.nest.get(Sessions).create({ userId: `u${++people}`, ...attributes });
  const seenBy = (by: string) => seen.filter((one) => one.by === by).map(({ userId }) => userId);

  it('gives the session to a second guard, which decides by it', async () => {
    const [member, admin] = [await someone(), await someone({ role: 'admin' })];
    expect((await app.getAs(member.authToken, '/admin')).status).toBe(403);
    expect((await app.getAs(admin.authToken, '/admin')).status).toBe(200);
  });

  it('gives it to an interceptor', async () => {
    const { userId, authToken } = await someone();
    await app.getAs(authToken, '/me');
    expect(seenBy('interceptor')).toEqual([userId]);
  });

  it('gives it to an exception filter, but for what the session guard itself refuses', async () => {
    const { userId, authToken } = await someone();
    expect((await app.getAs(authToken, '/admin')).status).toBe(403);
    expect((await app.getAs(`${authToken}x`, '/me')).status).toBe(401);
    expect(seenBy('filter')).toEqual([userId, undefined]);
  });

  it('gives it to the tracker of a throttler, so that each user has a limit of their own', async () => {
    const [one, other] = [await someone(), await someone()];
    const statuses = async (token: string, times: number) =>
      Promise.all(Array.from({ length: times }, async () => (await app.getAs(token, '/me')).status));
    expect(await statuses(one.authToken, 3)).toEqual([200, 200, 200]);
    expect(await statuses(one.authToken, 1)).toEqual([429]);
    expect(await statuses(other.authToken, 1)).toEqual([200]);
  });

  it('gives it to a provider of the request when that is asked, not yet when it is made', async () => {
    const { userId, authToken } = await someone();
    expect((await app.getAs(authToken, '/request')).body).toEqual({ userId });
    expect(seenBy('constructor of a request’s provider')).toEqual([undefined]);
  });

  it('gives it to a logger that writes when the answer is sent', async () => {
    const { userId, authToken } = await someone();
    await app.getAs(authToken, '/me');
    await expect.poll(() => logged).toMatchObject([{ msg: 'request completed', userId }]);
  });

  it('gives none to a middleware, which comes before the guard', async () => {
    const { authToken } = await someone();
    await app.getAs(authToken, '/me');
    expect(seenBy('middleware')).toEqual([undefined]);
  });

  it('gives none on a public route, and on an optional one what there is', async () => {
    const { userId, authToken } = await someone();
    await app.getAs(authToken, '/public');
    await app.get('/optional');
    await app.getAs(authToken, '/optional');
    expect(seenBy('interceptor')).toEqual([undefined, undefined, userId]);
  });

  it('gives each of many requests at once its own', async () => {
    const sessions = await Promise.all(Array.from({ length: 20 }, () => someone()));
    const answers = await Promise.all(sessions.map(({ authToken }) => app.getAs(authToken, '/request')));
    expect(answers.map(({ body }) => body)).toEqual(sessions.map(({ userId }) => ({ userId })));
  });
});
