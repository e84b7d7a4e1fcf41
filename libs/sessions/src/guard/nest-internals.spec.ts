import { type CanActivate, Controller, Get, Module, Sse, UseGuards } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { WebSocketGateway } from '@nestjs/websockets';
import { EMPTY, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';

class Guard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@UseGuards(Guard)
@Controller()
class GuardedController {
  @UseGuards(Guard)
  @Get()
  get(): void {}

  @Sse()
  stream(): Observable<string> {
    return EMPTY;
  }
}

@Module({ controllers: [GuardedController] })
class AppModule {}

/** Makes every failure say what to do, even that of an import. */
async function unless(
  check: (internals: typeof import('./nest-internals.js')) => unknown,
  whatToDo: string,
): Promise<void> {
  try {
    await check(await import('./nest-internals.js'));
  } catch (cause) {
    throw new Error(whatToDo, { cause });
  }
}

describe('what the library takes from the inside of Nest', () => {
  it('is where guards are kept by @UseGuards', async () => {
    const get = Reflect.get(GuardedController.prototype, 'get') as object;
    await unless(
      ({ guardsOn }) => expect([GuardedController, get, class {}].map(guardsOn)).toEqual([[Guard], [Guard], []]),
      'Nest keeps guards elsewhere than in GUARDS_METADATA of @nestjs/common/constants.js: see what its UseGuards writes, and read that in guardsOn().',
    );
  });

  it('is which handlers answer by a stream of events', async () => {
    const [stream, get] = ['stream', 'get'].map((name) => Reflect.get(GuardedController.prototype, name) as object);
    await unless(
      ({ isStream }) => expect([isStream(stream!), isStream(get!)]).toEqual([true, false]),
      'Nest marks the handlers of @Sse() elsewhere than in SSE_METADATA of @nestjs/common/constants.js: see what its Sse writes, and read that in isStream().',
    );
  });

  it('is where the filters of an application are kept', async () => {
    const filter = { catch: (): void => undefined };
    const app = (await Test.createTestingModule({}).compile()).createNestApplication();
    app.useGlobalFilters(filter);
    await unless(
      ({ applicationConfigOf }) =>
        expect(applicationConfigOf(app.get(ModuleRef))?.getGlobalFilters()).toEqual([filter]),
      "Nest's ModuleRef no longer has the application's container in container, or that its config in applicationConfig: see where APP_FILTER puts filters, and read that in applicationConfigOf().",
    );
  });

  it('is whether a handler is one of events', async () => {
    class Notes {
      @EventPattern('noted')
      noted(value: unknown): unknown {
        return value;
      }

      @MessagePattern('sum')
      sum(value: unknown): unknown {
        return value;
      }
    }
    const [noted, sum] = ['noted', 'sum'].map((name) => Reflect.get(Notes.prototype, name) as object);
    await unless(
      ({ isEventHandler }) => expect([noted!, sum!, class {}].map(isEventHandler)).toEqual([true, false, false]),
      '@nestjs/microservices tells handlers of events elsewhere than in PATTERN_HANDLER_METADATA: see what its EventPattern writes, and read that in isEventHandler().',
    );
  });

  it('is which instance of a guard a module uses', async () => {
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    const modules = [...testing.get(ModulesContainer).values()];
    await unless(({ guardIn }) => {
      const owner = modules.find(({ controllers }) => controllers.has(GuardedController));
      expect(guardIn(owner!, Guard)).toBeInstanceOf(Guard);
    }, 'A module of Nest no longer has its controllers in controllers, or its guards in injectables: see where its Injector puts them, and change guardIn() and swagger/routes.ts.');
  });

  it('is where a gateway listens, and what its guards are asked with', async () => {
    @WebSocketGateway(8080, { path: '/chat', namespace: 'rooms' })
    class Gateway {}
    await unless(({ ExecutionContextHost, isGateway, placeOf }) => {
      expect([isGateway(Gateway), placeOf(Gateway)]).toEqual([true, { port: 8080, path: '/chat', namespace: 'rooms' }]);
      const context = new ExecutionContextHost(['client'], Gateway);
      context.setType('ws');
      expect([context.getType(), context.getClass(), context.switchToWs().getClient()]).toEqual([
        'ws',
        Gateway,
        'client',
      ]);
    }, '@nestjs/websockets keeps elsewhere what WebSocketGateway says than in PORT_METADATA and GATEWAY_OPTIONS, or Nest has another ExecutionContextHost: see what writes it, and change placeOf() and ConnectionContext.');
  });
});
