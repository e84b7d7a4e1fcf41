import { inspect } from 'node:util';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  HttpStatus,
  Param,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionsError } from '@app/sessions';
import { describePlatforms, HttpApp } from '../support/http-app.js';
import { BODIES, type ErrorName, oneOfEach } from './one-of-each.js';

@Controller()
class Routes {
  @Get(':name')
  fail(@Param('name') name: ErrorName): void {
    throw oneOfEach()[name];
  }
}

/** What an application has that answers all of Nest's exceptions its own way. */
@Catch(HttpException)
class OfHttp implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: HttpException, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<unknown>();
    this.adapterHost.httpAdapter.reply(response, { problem: exception.getResponse() }, exception.getStatus());
  }
}

/** "Catch everything", as Nest's documentation has it. */
@Catch()
class OfEverything implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const context = host.switchToHttp();
    const statusCode = exception instanceof HttpException ? exception.getStatus() : HttpStatus.INTERNAL_SERVER_ERROR;
    const path = httpAdapter.getRequestUrl(context.getRequest()) as string;
    httpAdapter.reply(context.getResponse(), { statusCode, path }, statusCode);
  }
}

/** All of the library's, and nothing else. */
@Catch(SessionsError)
class OfSessions implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch({ code }: SessionsError, host: ArgumentsHost): void {
    this.adapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), { code }, 418);
  }
}

const NAMES = Object.keys(oneOfEach()) as ErrorName[];
const ANSWERED = Object.keys(BODIES) as ErrorName[];
const FAULTS = NAMES.filter((name) => !ANSWERED.includes(name));

describePlatforms('an error that leaves a route', (platform) => {
  async function start(filter?: new (adapterHost: HttpAdapterHost) => ExceptionFilter): Promise<HttpApp> {
    const prepare = ({ nest }: Pick<HttpApp, 'nest'>) => nest.useGlobalFilters(new filter!(nest.get(HttpAdapterHost)));
    return HttpApp.start(
      platform,
      { controllers: [Routes] },
      filter ? { prepare: (nest) => void prepare({ nest }) } : {},
    );
  }

  describe('without a filter', () => {
    let app: HttpApp;
    beforeAll(async () => {
      app = await start();
    });
    afterAll(() => app.close());

    it.each(ANSWERED)('is answered by its own body, and is none in the log: %s', async (name) => {
      const { body, status } = await app.get(`/${name}`);
      expect({ body, status }).toEqual({ body: BODIES[name], status: BODIES[name]!.statusCode });
      expect(app.logs.lines.filter(({ level }) => level !== 'log')).toEqual([]);
    });

    it.each(FAULTS)('of the application is for the log alone: %s', async (name) => {
      const before = app.logs.lines.length;
      expect(await app.get(`/${name}`)).toMatchObject({
        status: 500,
        body: { statusCode: 500, message: 'Internal server error' },
      });
      const [line, ...others] = app.logs.lines.slice(before);
      expect([line!.level, others]).toEqual(['error', []]);
      expect(line!.text).toContain(oneOfEach()[name].message);
    });
  });

  describe('is caught', () => {
    let app: HttpApp | undefined;
    afterAll(() => app?.close());

    it('by @Catch(HttpException), where it has a status', async () => {
      app = await start(OfHttp);
      for (const name of ANSWERED) {
        const { status, body } = await app.get(`/${name}`);
        expect([status, body]).toEqual([BODIES[name]!.statusCode, { problem: BODIES[name] }]);
      }
      for (const name of FAULTS) expect(await app.get(`/${name}`)).toMatchObject({ status: 500 });
      await app.close();
    });

    it('by a filter of everything with its status, else as 500', async () => {
      app = await start(OfEverything);
      for (const name of NAMES) {
        const status = BODIES[name]?.statusCode ?? 500;
        expect(await app.get(`/${name}`)).toMatchObject({ status, body: { statusCode: status, path: `/${name}` } });
      }
      await app.close();
    });

    it('by @Catch(SessionsError), with a status or without', async () => {
      app = await start(OfSessions);
      for (const name of NAMES)
        expect(await app.get(`/${name}`)).toMatchObject({ status: 418, body: { code: oneOfEach()[name].code } });
    });
  });
});

describe('an error', () => {
  it.each(ANSWERED)('with a status is one that Sentry takes for expected: %s', (name) => {
    expect(isExpectedBySentry(oneOfEach()[name])).toBe(true);
  });

  it.each(FAULTS)('without one is sent to Sentry: %s', (name) => {
    expect(isExpectedBySentry(oneOfEach()[name])).toBe(false);
  });

  it.each(ANSWERED)('tells those who read logs of the table, and a client not: %s', (name) => {
    const error = oneOfEach()[name] as HttpException & SessionsError;
    expect(error.message).toMatch(/^Table "secrets": /);
    expect(error.stack!.split('\n')[0]).toBe(`${name}: ${error.message}`);
    expect(error.stack!.split('\n')[1]).toContain('oneOfEach');
    expect(inspect(error)).toContain(error.message);
    expect(JSON.stringify(error.getResponse())).not.toMatch(/secrets|digest|lock/i);
    expect(error).toMatchObject({ name, statusCode: BODIES[name]!.statusCode, errorCode: error.code });
  });

  it('shows no cause beside its own properties', () => {
    const { SessionsUnavailableError: error } = oneOfEach();
    expect(error.cause).toEqual(new Error('SELECT of secrets'));
    expect(Object.keys(error)).not.toContain('cause');
    expect(JSON.stringify(error)).not.toContain('SELECT');
  });

  it.each(NAMES)('is of its own class, and of that of no other: %s', (name) => {
    const errors = oneOfEach();
    const isOne = (other: unknown): boolean => other instanceof errors[name].constructor;
    expect(NAMES.filter((other) => isOne(errors[other]))).toEqual([name]);
    expect([errors[name] instanceof SessionsError, errors[name] instanceof Error]).toEqual([true, true]);
    expect([SessionsError.is(errors[name]), SessionsError.is(name)]).toEqual([true, false]);
    expect([null, undefined, {}, new Error(), name].filter((other) => isOne(other))).toEqual([]);
  });

  it('of a class that an application derives is of that class and of the one before', () => {
    const { SessionLimitError: known } = oneOfEach();
    class TooManyDevices extends (known.constructor as typeof HttpException) {}
    const derived = Reflect.construct(TooManyDevices, ['t', 'userId', 1]) as HttpException;
    expect([derived instanceof TooManyDevices, derived instanceof known.constructor]).toEqual([true, true]);
    expect([derived instanceof SessionsError, derived.name]).toEqual([true, 'TooManyDevices']);
    expect(known instanceof TooManyDevices).toBe(false);
  });
});

/** What `@sentry/nestjs` 10 looks at before it reports an exception (`isExpectedError`). */
function isExpectedBySentry(exception: object): boolean {
  return ['getStatus', 'getResponse', 'initMessage'].every(
    (name) => typeof (exception as Record<string, unknown>)[name] === 'function',
  );
}
