import { Controller, type INestApplication, type Provider, Scope, type Type, UseGuards } from '@nestjs/common';
import { APP_GUARD, ModuleRef } from '@nestjs/core';
import { MessagePattern, Transport } from '@nestjs/microservices';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from 'vitest';
import { Public, SessionGuard } from '@app/sessions';
import { SessionIoAdapter } from '@app/sessions/platform-socket.io';
import { gatewaysBlind, gatewaysOpen, messagesOpen } from '../../libs/sessions/src/module/messages.js';
import { GuardedApp, Sessions } from '../guard/guarded-app.js';
import { freePort } from '../support/free-port.js';

@Controller()
class Notes {
  @MessagePattern('sum')
  sum(numbers: number[]): number {
    return numbers.length;
  }

  @Public()
  @MessagePattern('version')
  version(value: unknown): unknown {
    return value;
  }

  @UseGuards(SessionGuard)
  @MessagePattern('me')
  me(value: unknown): unknown {
    return value;
  }
}

@UseGuards(SessionGuard)
@WebSocketGateway()
class ChatGateway {
  @SubscribeMessage('say')
  say(): void {}
}

@Public()
@WebSocketGateway()
class PublicGateway {
  @SubscribeMessage('hear')
  hear(): void {}
}

@WebSocketGateway()
class BareGateway {
  @SubscribeMessage('say')
  say(): void {}
}

/** By its class, and by a factory, of which nobody can tell before what it makes. */
const MADE_FOR_EACH_REQUEST: readonly Provider[] = [
  { provide: APP_GUARD, useClass: SessionGuard, scope: Scope.REQUEST },
  {
    provide: APP_GUARD,
    inject: [ModuleRef],
    useFactory: async (modules: ModuleRef) => modules.create(SessionGuard),
    scope: Scope.REQUEST,
  },
];

let app: GuardedApp | undefined;
afterEach(() => app?.close());

/** What an application with the guard warns of as it starts. */
async function warningsOf(
  classes: { readonly controllers?: Type[]; readonly gateways?: Type[] },
  prepare: (nest: INestApplication) => unknown,
  guard: Provider = { provide: APP_GUARD, useClass: SessionGuard },
): Promise<string[]> {
  app = await GuardedApp.start('express', {
    tables: [Sessions],
    controllers: classes.controllers ?? [],
    providers: [guard, ...(classes.gateways ?? [])],
    prepare,
  });
  return app.http.logs.lines
    .filter(({ level }) => level === 'warn')
    .map(({ text }) => text.replace(/ SessionsModule$/, ''));
}

describe('a service for messages beside an application', () => {
  const connect = async (nest: INestApplication, inheritAppConfig: boolean) => {
    const options = { host: '127.0.0.1', port: await freePort() };
    nest.connectMicroservice({ transport: Transport.TCP, options }, { inheritAppConfig });
  };

  it('is warned of where the guard does not reach its messages', async () => {
    const warnings = await warningsOf({ controllers: [Notes] }, (nest) => connect(nest, false));
    expect(warnings).toEqual([messagesOpen(['Notes.sum'])]);
  });

  it('is as well where the guard is made for each request', async () => {
    for (const guard of MADE_FOR_EACH_REQUEST) {
      const warnings = await warningsOf({ controllers: [Notes] }, (nest) => connect(nest, false), guard);
      expect(warnings).toEqual([messagesOpen(['Notes.sum'])]);
      await app?.close();
    }
  });

  it('is not where it inherits the guard, whatever stands beside it', async () => {
    expect(await warningsOf({ controllers: [Notes] }, (nest) => connect(nest, true))).toEqual([]);
    await app?.close();
    const both = await warningsOf({ controllers: [Notes] }, async (nest) => {
      const [one, other] = [await freePort(), await freePort()];
      const at = (port: number) => ({ transport: Transport.TCP, options: { host: '127.0.0.1', port } }) as const;
      nest.connectMicroservice(at(one), { inheritAppConfig: true });
      nest.connectMicroservice(at(other));
    });
    expect(both).toEqual([messagesOpen(['Notes.sum'])]);
  });
});

describe('a gateway', () => {
  it('is warned of where its adapter cannot see the handshake', async () => {
    const warnings = await warningsOf({ gateways: [ChatGateway, PublicGateway] }, (nest) =>
      nest.useWebSocketAdapter(new WsAdapter(nest)),
    );
    expect(warnings).toEqual([gatewaysBlind(['ChatGateway'])]);
  });

  it('is not where it can, or where everything is public', async () => {
    expect(
      await warningsOf({ gateways: [ChatGateway] }, (nest) => nest.useWebSocketAdapter(new IoAdapter(nest))),
    ).toEqual([]);
    await app?.close();
    expect(
      await warningsOf({ gateways: [PublicGateway] }, (nest) => nest.useWebSocketAdapter(new WsAdapter(nest))),
    ).toEqual([]);
  });

  it('is warned of where the guard of the application is made for each request, which Nest does for none of its messages', async () => {
    const gateways = [BareGateway, ChatGateway, PublicGateway];
    const prepare = (nest: INestApplication): unknown => nest.useWebSocketAdapter(new SessionIoAdapter(nest));
    for (const guard of MADE_FOR_EACH_REQUEST) {
      expect(await warningsOf({ gateways }, prepare, guard)).toEqual([gatewaysOpen(['BareGateway.say'])]);
      await app?.close();
    }
    expect(await warningsOf({ gateways }, prepare)).toEqual([]);
  });
});
