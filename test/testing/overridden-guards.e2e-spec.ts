import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  type Provider,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { of } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { CurrentSession, MemoryAdapter, Public, SessionGuard, SessionsModule, SessionsTable } from '@app/sessions';
import { actingAs, SessionsTestingModule, setSession } from '../../libs/sessions/src/testing/index.js';
import { HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({ table: 'stub_sessions', extraFields: { userId: { type: 'string' } } }) {}
class ApiKeys extends SessionsTable({ table: 'stub_keys', extraFields: { userId: { type: 'string' } } }) {}

/** A guard of the application's own. */
class StaffGuard extends SessionGuard {}

/** Lets everybody through, as Ann. */
@Injectable()
class Ann implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    setSession(context, { userId: 'ann' });
    return true;
  }
}

const userOf = (userId?: string): object => ({ userId: userId ?? null });

@Controller()
class PlainRoutes {
  @UseGuards(SessionGuard)
  @Get('plain')
  plain(@CurrentSession('userId') userId?: string): object {
    return userOf(userId);
  }
}

@Controller()
class MadeRoutes {
  @UseGuards(SessionGuard.for(ApiKeys))
  @Get('key')
  key(@CurrentSession('userId') userId?: string): object {
    return userOf(userId);
  }

  @UseGuards(SessionGuard.for(Sessions, ApiKeys))
  @Get('either')
  either(@CurrentSession('userId') userId?: string): object {
    return userOf(userId);
  }
}

@Controller()
class StaffRoutes {
  @UseGuards(StaffGuard)
  @Get('staff')
  staff(@CurrentSession('userId') userId?: string): object {
    return userOf(userId);
  }

  @UseGuards(StaffGuard.for(ApiKeys))
  @Get('staff-key')
  key(@CurrentSession('userId') userId?: string): object {
    return userOf(userId);
  }
}

@Controller()
class OpenRoutes {
  @Get('global')
  global(@CurrentSession('userId') userId?: string): object {
    return userOf(userId);
  }

  @Public()
  @Get('public')
  open(@CurrentSession('userId') userId?: string): object {
    return userOf(userId);
  }
}

const TABLES = [
  SessionsModule.forRoot({ adapter: new MemoryAdapter(), pruning: false, defaultTable: Sessions }),
  SessionsModule.forFeature([Sessions, ApiKeys]),
];

let app: HttpApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

function application(controllers: Type[], providers: Provider[] = []): TestingModuleBuilder {
  // A module of its own, as in an application.
  @Module({ imports: TABLES, controllers, providers })
  class AppModule {}
  return Test.createTestingModule({ imports: [AppModule] });
}

async function start(builder: TestingModuleBuilder): Promise<void> {
  app = await HttpApp.start('express', builder);
}

async function answersOf(...paths: string[]): Promise<unknown[]> {
  const answers = await Promise.all(paths.map((path) => app!.get(path)));
  return answers.map(({ status, body }) => (status === 200 ? (body as { userId: unknown }).userId : status));
}

describe('overrideGuard(SessionGuard), as Nest has it', () => {
  const controllers = [PlainRoutes, MadeRoutes, StaffRoutes];
  const paths = ['/plain', '/key', '/either', '/staff', '/staff-key'];

  it.each([
    ['a value', (by: ReturnType<TestingModuleBuilder['overrideGuard']>) => by.useValue(new Ann())],
    ['a class', (by: ReturnType<TestingModuleBuilder['overrideGuard']>) => by.useClass(Ann)],
    [
      'a factory',
      (by: ReturnType<TestingModuleBuilder['overrideGuard']>) => by.useFactory({ factory: () => new Ann() }),
    ],
  ])('holds for the guards made by for too: by %s', async (_, by) => {
    await start(by(application(controllers).overrideGuard(SessionGuard)));
    expect(await answersOf(...paths)).toEqual(['ann', 'ann', 'ann', 401, 401]);
  });

  it.each([
    ['a promise', async () => false],
    ['an Observable', () => of(false)],
    ['a value', () => false],
  ])('is asked at each request, whatever it gives its answer as: %s', async (_, canActivate) => {
    await start(application(controllers).overrideGuard(SessionGuard).useValue({ canActivate }));
    expect(await answersOf('/plain', '/key')).toEqual([403, 403]);
  });

  it('holds for a class that extends it, and those made of that, where the test names that class', async () => {
    await start(application(controllers).overrideGuard(StaffGuard).useValue(new Ann()));
    expect(await answersOf(...paths)).toEqual([401, 401, 401, 'ann', 'ann']);
  });

  it('needs no table, where all that is guarded is replaced', async () => {
    const builder = Test.createTestingModule({ controllers: [PlainRoutes, MadeRoutes] });
    await start(builder.overrideGuard(SessionGuard).useValue(new Ann()));
    expect(await answersOf('/plain', '/key')).toEqual(['ann', 'ann']);
  });

  it('changes nothing where it is not called', async () => {
    await start(application(controllers));
    expect(await answersOf(...paths)).toEqual([401, 401, 401, 401, 401]);
  });
});

describe('APP_GUARD with useExisting', () => {
  const globalGuard = [SessionGuard, { provide: APP_GUARD, useExisting: SessionGuard }];

  it('guards every route, and is replaced by overrideProvider(SessionGuard), with those made by for', async () => {
    const controllers = [OpenRoutes, MadeRoutes];
    await start(application(controllers, globalGuard));
    expect(await answersOf('/global', '/public', '/key')).toEqual([401, null, 401]);
    await app!.close();
    await start(application(controllers, globalGuard).overrideProvider(SessionGuard).useValue(new Ann()));
    expect(await answersOf('/global', '/public', '/key')).toEqual(['ann', 'ann', 'ann']);
  });

  it('leaves guards of other tables alone, where the application has a guard of its own under that token', async () => {
    const own = [
      { provide: SessionGuard, useClass: Ann },
      { provide: APP_GUARD, useExisting: SessionGuard },
    ];
    await start(application([OpenRoutes, MadeRoutes], own));
    expect(await answersOf('/global', '/key', '/either')).toEqual(['ann', 401, 401]);
  });
});

describe('SessionsTestingModule.overrideGuards', () => {
  it('holds for every session guard, also where no route has the plain one', async () => {
    const builder = application([MadeRoutes, StaffRoutes]);
    await start(SessionsTestingModule.overrideGuards(builder, new Ann()));
    expect(await answersOf('/key', '/either', '/staff', '/staff-key')).toEqual(['ann', 'ann', 'ann', 'ann']);
  });

  it.each([
    ['useClass', [{ provide: APP_GUARD, useClass: SessionGuard }]],
    ['useExisting', [SessionGuard, { provide: APP_GUARD, useExisting: SessionGuard }]],
    ['useClass of one for a table', [{ provide: APP_GUARD, useClass: SessionGuard.for(ApiKeys) }]],
  ])('holds for an APP_GUARD by %s, which decides for public routes too', async (_, providers) => {
    await start(SessionsTestingModule.overrideGuards(application([OpenRoutes, MadeRoutes], providers), new Ann()));
    expect(await answersOf('/global', '/public', '/key')).toEqual(['ann', 'ann', 'ann']);
  });

  it('needs no table for the guards of routes', async () => {
    const builder = Test.createTestingModule({ controllers: [PlainRoutes, MadeRoutes] });
    await start(SessionsTestingModule.overrideGuards(builder, new Ann()));
    expect(await answersOf('/plain', '/key', '/either')).toEqual(['ann', 'ann', 'ann']);
  });

  it('leaves another application of the process as it is', async () => {
    await start(SessionsTestingModule.overrideGuards(application([PlainRoutes, MadeRoutes]), new Ann()));
    await app!.close();
    await start(application([PlainRoutes, MadeRoutes]));
    expect(await answersOf('/plain', '/key')).toEqual([401, 401]);
  });
});

describe('actingAs', () => {
  it.each([
    ['/plain', Sessions],
    ['/key', ApiKeys],
  ])('goes on to give what %s takes, where nothing is replaced', async (path, table) => {
    await start(application([PlainRoutes, MadeRoutes]));
    const headers = await actingAs(app!.nest, table, { userId: 'bob' });
    expect(await app!.get(path, headers)).toMatchObject({ status: 200, body: { userId: 'bob' } });
  });
});
