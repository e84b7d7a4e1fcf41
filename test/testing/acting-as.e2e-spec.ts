import { once } from 'node:events';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { type DynamicModule, Get, Controller, type INestApplication, type Provider, UseGuards } from '@nestjs/common';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { createClient } from 'graphql-ws';
import { io } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CurrentSession, SessionGuard, SessionsConfigError, SessionsTable } from '@app/sessions';
import { SubscriptionSessions, SubscriptionSessionsModule } from '@app/sessions/graphql';
import { SessionIoAdapter } from '@app/sessions/platform-socket.io';
import { SessionWsAdapter } from '@app/sessions/platform-ws';
import { actingAs, SessionsTestingModule } from '@app/sessions/testing';
import { takesNoTokenFrom } from '../../libs/sessions/src/testing/messages.js';

const extraFields = { userId: { type: 'string' } } as const;

class Bearers extends SessionsTable({ extraFields }) {}
class Cookies extends SessionsTable({ extraFields, credentials: ['cookie', 'bearer'] }) {}
class Keys extends SessionsTable({ extraFields, credentials: [{ header: 'X-Api-Key' }] }) {}

/** Where the token is of somebody who acts, by default or as a test wants it. */
const PLACES = [
  ['a bearer token', Bearers, undefined],
  ['a cookie', Cookies, undefined],
  ['a bearer token of a table that takes cookies first', Cookies, 'bearer'],
  ['a header of its own', Keys, undefined],
] as const;

/** Those that a client says for itself, where no cookie counts. */
const SAID = PLACES.filter(([name]) => name !== 'a cookie');

@UseGuards(SessionGuard)
@Controller()
class Routes {
  @Get('me')
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }
}

@UseGuards(SessionGuard)
@WebSocketGateway()
class Gateway {
  @SubscribeMessage('me')
  me(@CurrentSession('userId') userId: string): object {
    return { event: 'me', data: userId };
  }
}

@UseGuards(SessionGuard)
@Resolver()
class Fields {
  @Query(() => String)
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }
}

const graphql = GraphQLModule.forRootAsync<ApolloDriverConfig>({
  driver: ApolloDriver,
  imports: [SubscriptionSessionsModule],
  inject: [SubscriptionSessions],
  useFactory: (subscriptions: SubscriptionSessions) => ({
    autoSchemaFile: true,
    subscriptions: { 'graphql-ws': subscriptions.graphqlWs() },
  }),
});

describe('actingAs', () => {
  let app: INestApplication | undefined;
  afterEach(() => app?.close());

  async function start(
    table: (typeof PLACES)[number][1],
    parts: { providers?: Provider[]; imports?: DynamicModule[] },
    adapter?: typeof SessionWsAdapter | typeof SessionIoAdapter,
  ): Promise<string> {
    const module = await Test.createTestingModule({
      imports: [SessionsTestingModule.forTables([table]), ...(parts.imports ?? [])],
      controllers: [Routes],
      providers: parts.providers ?? [],
    }).compile();
    app = module.createNestApplication();
    if (adapter) app.useWebSocketAdapter(new adapter(app));
    await app.listen(0, '127.0.0.1');
    return (await app.getUrl()).replace(/^http/, 'ws');
  }

  /** The answer to a message of Socket.IO. */
  async function answerOn(url: string, options: object): Promise<unknown> {
    const socket = io(url.replace(/^ws/, 'http'), { ...options, forceNew: true, reconnection: false });
    try {
      const answer = new Promise((resolve, reject) => {
        socket.once('connect_error', reject);
        socket.once('exception', reject);
        socket.once('me', resolve);
      });
      socket.emit('me');
      return await answer;
    } finally {
      socket.disconnect();
    }
  }

  it.each(PLACES)('gives the headers of a request: %s', async (_, table, place) => {
    const url = await start(table, {});
    const headers = await actingAs(app!, table, { userId: 'ann' }, place);
    expect(await (await fetch(`${url.replace(/^ws/, 'http')}/me`, { headers })).text()).toBe('ann');
  });

  it.each(PLACES)('gives the headers of a client of ws: %s', async (_, table, place) => {
    const url = await start(table, { providers: [Gateway] }, SessionWsAdapter);
    const socket = new WebSocket(url, { headers: await actingAs(app!, table, { userId: 'ann' }, place) });
    await once(socket, 'open');
    socket.send('{"event":"me"}');
    const [text] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(text.toString())).toEqual({ event: 'me', data: 'ann' });
    socket.terminate();
  });

  it.each(PLACES)('gives the headers of a client of Socket.IO: %s', async (_, table, place) => {
    const url = await start(table, { providers: [Gateway] }, SessionIoAdapter);
    const extraHeaders = await actingAs(app!, table, { userId: 'ann' }, place);
    expect(await answerOn(url, { extraHeaders })).toBe('ann');
    expect(await answerOn(url, { extraHeaders, transports: ['websocket'] })).toBe('ann');
  });

  it.each(SAID)('gives what a client of Socket.IO says as its auth: %s', async (_, table, place) => {
    const url = await start(table, { providers: [Gateway] }, SessionIoAdapter);
    expect(await answerOn(url, { auth: await actingAs(app!, table, { userId: 'ann' }, place) })).toBe('ann');
  });

  it.each(SAID)('gives the connectionParams of graphql-ws: %s', async (_, table, place) => {
    const url = await start(table, { providers: [Fields], imports: [graphql] });
    const client = createClient({
      url: `${url}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: await actingAs(app!, table, { userId: 'ann' }, place),
    });
    expect((await client.iterate({ query: '{ me }' }).next()).value).toEqual({ data: { me: 'ann' } });
    await client.dispose();
  });

  it('refuses a place that the table takes no token from, and begins no session', async () => {
    await start(Bearers, {});
    const acting = actingAs(app!, Bearers, { userId: 'ann' }, 'payload');
    await expect(acting).rejects.toThrow(new SessionsConfigError([takesNoTokenFrom('sessions', 'payload')]));
    expect(await app!.get(Bearers).count()).toBe(0);
  });
});
