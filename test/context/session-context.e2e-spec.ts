import { AsyncLocalStorage } from 'node:async_hooks';
import { request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import {
  type ArgumentsHost,
  Body,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  type INestApplication,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  type PipeTransform,
  Post,
  Query,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { FastifyInstance } from 'fastify';
import { mergeMap } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Public, SessionGuard, SessionsModule, SessionsTable } from '@app/sessions';
import { SessionContext, SessionContextModule } from '@app/sessions/context';
import { describePlatforms, HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}

/** What the parts of the application have seen. */
const seen: { by: string; userId: string | undefined }[] = [];
/** Is told of a request whose body has not come yet. */
let arrived: (path: string) => void = () => undefined;

/** A service that is given nothing of the request. */
@Injectable()
class CurrentUser {
  constructor(@Inject(SessionContext) private readonly context: SessionContext<Sessions>) {}

  get id(): string | undefined {
    return this.context.session?.userId;
  }

  see(by: string): void {
    seen.push({ by, userId: this.id });
  }
}

@Injectable()
class SecondGuard implements CanActivate {
  constructor(@Inject(CurrentUser) private readonly user: CurrentUser) {}

  canActivate(): boolean {
    this.user.see('guard');
    return this.user.id !== 'banned';
  }
}

@Injectable()
class Observer implements NestInterceptor {
  constructor(@Inject(CurrentUser) private readonly user: CurrentUser) {}

  intercept(_: unknown, next: CallHandler) {
    this.user.see('interceptor');
    return next.handle().pipe(
      mergeMap(async (answer: unknown) => {
        await setImmediate();
        this.user.see('interceptor, afterwards');
        return answer;
      }),
    );
  }
}

@Catch(HttpException)
class Filter implements ExceptionFilter<HttpException> {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(CurrentUser) private readonly user: CurrentUser,
  ) {}

  catch(exception: HttpException, host: ArgumentsHost): void {
    this.user.see('filter');
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), exception.getResponse(), exception.getStatus());
  }
}

@Injectable()
class Pipe implements PipeTransform {
  constructor(@Inject(CurrentUser) private readonly user: CurrentUser) {}

  transform(value: unknown): unknown {
    this.user.see('pipe');
    return value;
  }
}

@Controller()
class Routes {
  constructor(@Inject(CurrentUser) private readonly user: CurrentUser) {}

  @Get('me')
  async me(@Query('name', Pipe) name?: string): Promise<object> {
    await setImmediate();
    return { name, userId: this.user.id };
  }

  @Post('notes')
  write(@Body() note: object): object {
    return { note, userId: this.user.id };
  }

  @Public()
  @Get('public')
  public(): object {
    return { userId: this.user.id ?? 'nobody' };
  }
}

@Module({
  imports: [
    // A database, so that requests share statements.
    TypeOrmModule.forRoot({ type: 'better-sqlite3', database: ':memory:', autoLoadEntities: true, synchronize: true }),
    SessionsModule.forRoot({ pruning: false }),
    SessionsModule.forFeature(Sessions),
    SessionContextModule,
  ],
  controllers: [Routes],
  providers: [
    CurrentUser,
    { provide: APP_GUARD, useClass: SessionGuard },
    { provide: APP_GUARD, useClass: SecondGuard },
    { provide: APP_INTERCEPTOR, useClass: Observer },
    { provide: APP_FILTER, useClass: Filter },
  ],
})
class AppModule {}

describePlatforms('SessionContext', (platform) => {
  let app: HttpApp;
  let people = 0;
  beforeAll(async () => {
    app = await HttpApp.start(platform, { imports: [AppModule] }, { prepare });
  });
  beforeEach(() => {
    seen.length = 0;
  });
  afterAll(() => app.close());

  const someone = async (userId = `u${++people}`) => app.nest.get(Sessions).create({ userId });

  it('has the session in guards that come later, interceptors, pipes and handlers', async () => {
    const { userId, authToken } = await someone();
    expect((await app.getAs(authToken, '/me?name=x')).body).toEqual({ name: 'x', userId });
    const parts = ['guard', 'interceptor', 'pipe', 'interceptor, afterwards'];
    expect(seen).toEqual(parts.map((by) => ({ by, userId })));
  });

  it('has it in exception filters, but for what the session guard itself refuses', async () => {
    const { userId, authToken } = await someone('banned');
    expect((await app.getAs(authToken, '/me')).status).toBe(403);
    expect((await app.getAs('unknown', '/me')).status).toBe(401);
    expect(seen.filter(({ by }) => by === 'filter')).toEqual([
      { by: 'filter', userId },
      { by: 'filter', userId: undefined },
    ]);
  });

  it('has none on a public route, whoever asks, and outside of requests', async () => {
    const { authToken } = await someone();
    expect((await app.getAs(authToken, '/public')).body).toEqual({ userId: 'nobody' });
    expect(app.nest.get(SessionContext).session).toBeUndefined();
  });

  it('has for each of many requests at once its own', async () => {
    const sessions = await Promise.all(Array.from({ length: 40 }, () => someone()));
    const answers = await Promise.all(sessions.map(({ authToken }) => app.getAs(authToken, '/me')));
    expect(answers.map(({ body }) => body)).toEqual(sessions.map(({ userId }) => ({ userId })));
  });

  it('has it where the body comes in parts, some long after the headers', async () => {
    const { userId, authToken } = await someone();
    const [begin, end] = ['{"text":"', `${'x'.repeat(20_000)}"}`];
    const answer = await sendInParts(app.port, authToken, [begin, end]);
    expect(answer).toEqual({ note: JSON.parse(begin + end), userId });
  });

  it('is another one’s, or nobody’s, where run says so, and for what that begins', async () => {
    const context = app.nest.get<SessionContext<Sessions>>(SessionContext);
    const [ann, bob] = [await someone('ann'), await someone('bob')];
    const current = async (): Promise<string | undefined> => {
      await setImmediate();
      return context.session?.userId;
    };
    const all = await context.run(ann, async () => [
      await current(),
      await context.run(bob, current),
      await context.run(undefined, current),
      await current(),
    ]);
    expect(all).toEqual(['ann', 'bob', undefined, 'ann']);
    expect(context.session).toBeUndefined();
  });
});

const outside = AsyncLocalStorage.snapshot();

/** Tells of requests before their bodies are read, and goes on with them in no context, as what knows of none may do. */
function prepare(nest: INestApplication): void {
  nest.use(({ url }: { url: string }, _: unknown, next: () => void) => {
    arrived(url);
    outside(next);
  });
  if (nest.getHttpAdapter().getType() !== 'fastify') return;
  const fastify = nest.getHttpAdapter().getInstance() as FastifyInstance;
  fastify.addHook('preValidation', (_request, _reply, done) => outside(done));
}

/** Sends a body in parts, of which all but the first wait until the application has the request. */
async function sendInParts(port: number, token: string, [first, ...others]: readonly string[]): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
  const taken = new Promise<string>((resolve) => (arrived = resolve));
  const sent = request({ method: 'POST', host: '127.0.0.1', port, path: '/notes', agent: false, headers });
  const answered = new Promise<unknown>((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve(JSON.parse(text)));
    });
  });
  sent.write(first);
  await taken;
  for (const part of others) sent.write(part);
  sent.end();
  return answered;
}
