import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  Inject,
  Module,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER, BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { afterEach, expect, it } from 'vitest';
import {
  MemoryAdapter,
  SessionGuard,
  SessionsModule,
  SessionsService,
  SessionsTable,
  SessionsUnavailableError,
} from '@app/sessions';
import { TOLD_UNAVAILABLE } from '../../libs/sessions/src/errors/messages.js';
import { lookUpFailed } from '../../libs/sessions/src/guard/messages.js';
import { describePlatforms, HttpApp, type HttpSetUp } from '../support/http-app.js';

class Sessions extends SessionsTable({}) {}

const TOKEN = 'a'.repeat(64);

/** A storage that answers nothing. */
class Down extends MemoryAdapter {
  override execute = async (): Promise<never> => {
    throw new SessionsUnavailableError('sessions', 'is down.', { retryAfter: 7 });
  };
  override fetch = this.execute as never;
}

/** A catch-all that says nothing of when to come again. */
@Catch()
class OfEverything implements ExceptionFilter {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<unknown>();
    const { httpAdapter } = this.adapterHost;
    const body = exception instanceof HttpException ? exception.getResponse() : null;
    httpAdapter.reply(response, { own: body }, exception instanceof HttpException ? exception.getStatus() : 500);
  }
}

/** As the README has it. */
@Catch()
class EveryErrorFilter extends BaseExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<{ header(name: string, value: string): unknown }>();
    if (exception instanceof HttpException && 'retryAfter' in exception)
      response.header('Retry-After', String(exception.retryAfter));
    // oxlint-disable-next-line promise/valid-params -- of a filter, not of a promise
    super.catch(exception, host);
  }
}

@Controller()
class Routes {
  constructor(@Inject(SessionsService) private readonly sessions: SessionsService) {}

  @Get('count')
  count(): Promise<number> {
    return this.sessions.count();
  }

  @UseFilters(OfEverything)
  @Get('filtered')
  filtered(): Promise<number> {
    return this.sessions.count();
  }

  @UseGuards(SessionGuard)
  @Get('guarded')
  guarded(): object {
    return {};
  }
}

const BODY = {
  statusCode: 503,
  message: TOLD_UNAVAILABLE,
  error: 'Service Unavailable',
  errorCode: 'ERR_SESSION_UNAVAILABLE',
};

describePlatforms('a 503', (platform) => {
  let app: HttpApp | undefined;
  afterEach(() => app?.close());

  async function start(providers: object[] = [], setUp: HttpSetUp = {}): Promise<HttpApp> {
    const sessions = [
      SessionsModule.forRoot({ adapter: new Down(), defaultTable: 'sessions', pruning: false }),
      SessionsModule.forFeature(Sessions),
    ];
    @Module({ imports: sessions, controllers: [Routes], providers: providers as never })
    class AppModule {}
    return (app = await HttpApp.start(platform, { imports: [AppModule] }, setUp));
  }

  const seenOf = async (path: string): Promise<unknown> => {
    const { status, headers, body } = await app!.send('GET', path, { authorization: `Bearer ${TOKEN}` });
    return { status, retryAfter: headers['retry-after'], body };
  };
  const errors = (): string[] => app!.logs.lines.filter(({ level }) => level === 'error').map(({ text }) => text);

  it('of a handler says when to come again, and is one line in the log', async () => {
    const { logs } = await start();
    expect(await seenOf('/count')).toEqual({ status: 503, retryAfter: '7', body: BODY });
    expect(errors()).toHaveLength(1);
    expect(logs.matching('Table "sessions": is down.')).toHaveLength(1);
  });

  it('of the guard says so too, and is one line in the log', async () => {
    await start();
    expect(await seenOf('/guarded')).toMatchObject({ status: 503, retryAfter: '7' });
    expect(errors()).toHaveLength(1);
    expect(errors()[0]).toContain(lookUpFailed('Table "sessions": is down.'));
  });

  it.each(['APP_FILTER', 'useGlobalFilters'])(
    'is left to a catch-all filter that the application has by %s',
    async (way) => {
      const providers = way === 'APP_FILTER' ? [{ provide: APP_FILTER, useClass: OfEverything }] : [];
      await start(providers, {
        prepare: (nest) => {
          if (way !== 'APP_FILTER') nest.useGlobalFilters(new OfEverything(nest.get(HttpAdapterHost)));
        },
      });
      expect(await seenOf('/count')).toEqual({ status: 503, retryAfter: undefined, body: { own: BODY } });
      // What the guard has to say is said whoever answers.
      expect(await seenOf('/guarded')).toMatchObject({
        status: 503,
        retryAfter: '7',
        body: { own: { statusCode: 503 } },
      });
    },
  );

  it('says when to come again by such a filter too, with the line of the README', async () => {
    await start([{ provide: APP_FILTER, useClass: EveryErrorFilter }]);
    expect(await seenOf('/count')).toEqual({ status: 503, retryAfter: '7', body: BODY });
  });

  it('is left to a filter of the route', async () => {
    await start();
    expect(await seenOf('/filtered')).toEqual({ status: 503, retryAfter: undefined, body: { own: BODY } });
  });
});
