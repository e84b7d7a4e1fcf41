/**
 * What the guard costs on other transports than HTTP, side by side, from memory: a message on a guarded socket of ws, and of
 * Socket.IO, beside one on an open socket, by the CPU of the server's process, whose client is another one; and a query with twenty
 * guarded fields inside a guarded one, beside the same without guards inside. One of them by its name: `ws`, `io` or `graphql`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type CanActivate, type DynamicModule, type Type, UseGuards, type WebSocketAdapter } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Field, GraphQLModule, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import {
  CurrentSession,
  MemoryAdapter,
  SessionGuard,
  SessionsModule,
  SessionsTable,
} from '../libs/sessions/src/index.js';
import { SessionIoAdapter } from '../libs/sessions/src/platform-socket.io/index.js';
import { SessionWsAdapter } from '../libs/sessions/src/platform-ws/index.js';
import { ratios, type Spread, spreadOf } from './statistics.js';

const ROUNDS = 15;
const MESSAGES = 20_000;
const QUERIES = 400;
/** Messages of a client that have no answer yet. */
const AT_ONCE = 32;
const FIELDS = 20;

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}

/** What Nest itself takes for any guard. */
class EmptyGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

/** Gateways that answer alike, each at a place of its own: a path of ws, or a namespace of Socket.IO. */
function gateways(at: (place: string) => object): Type[] {
  @WebSocketGateway(at('/open'))
  class OpenGateway {
    @SubscribeMessage('ping')
    ping(): object {
      return { event: 'pong', data: 'u1' };
    }
  }

  @UseGuards(EmptyGuard)
  @WebSocketGateway(at('/empty'))
  class EmptyGateway {
    @SubscribeMessage('ping')
    ping(): object {
      return { event: 'pong', data: 'u1' };
    }
  }

  @UseGuards(SessionGuard)
  @WebSocketGateway(at('/guarded'))
  class GuardedGateway {
    @SubscribeMessage('ping')
    ping(@CurrentSession('userId') userId: string): object {
      return { event: 'pong', data: userId };
    }
  }

  return [OpenGateway, EmptyGateway, GuardedGateway];
}

@ObjectType()
class Item {
  @Field(() => String)
  readonly name!: string;
}

@Resolver(() => Item)
class ItemResolver {
  @UseGuards(SessionGuard)
  @Query(() => Item)
  item(): object {
    return {};
  }

  @ResolveField(() => String)
  open(): string {
    return 'u1';
  }

  @UseGuards(EmptyGuard)
  @ResolveField(() => String)
  empty(): string {
    return 'u1';
  }

  @UseGuards(SessionGuard)
  @ResolveField(() => String)
  guarded(): string {
    return 'u1';
  }
}

async function application(more: DynamicModule): Promise<NestFastifyApplication> {
  const root: DynamicModule = {
    module: class {},
    imports: [
      SessionsModule.forRoot({ adapter: new MemoryAdapter(), pruning: false }),
      SessionsModule.forFeature(Sessions),
      more,
    ],
  };
  return NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), { logger: ['error'] });
}

/** A client of a server, by its protocol: sends a message, and is told of each answer. */
async function connect(url: string, token: string, answered: () => void): Promise<() => void> {
  if (url.startsWith('http')) {
    const socket = io(url, { transports: ['websocket'], ...(token && { auth: { token } }) });
    await new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
    socket.on('pong', answered);
    return () => void socket.emit('ping');
  }
  const socket = new WebSocket(url, token ? [`bearer.${token}`, 'chat'] : []);
  await once(socket, 'open');
  socket.on('message', answered);
  return () => socket.send('{"event":"ping"}');
}

/** Sends messages, as many as are asked for, whenever they are, and says when they are answered. */
async function beClient(url: string, token: string): Promise<void> {
  let [unsent, unanswered] = [0, 0];
  const message = await connect(url, token, () => {
    if (--unanswered === 0) process.send!('answered');
    else if (unsent > 0) send();
  });
  const send = (): void => {
    unsent--;
    message();
  };
  process.on('message', (count: number) => {
    unsent = unanswered = count;
    for (let i = 0; i < AT_ONCE; i++) send();
  });
  process.send!('open');
}

/** Of this process, in microseconds. */
function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** A turn: the CPU of a message in this process, in microseconds. */
async function messages(url: string, token = ''): Promise<() => Promise<number>> {
  const client = fork(fileURLToPath(import.meta.url), [url, token]);
  await once(client, 'message');
  return async () => {
    const before = process.cpuUsage();
    client.send(MESSAGES);
    await once(client, 'message');
    return cpuSince(before) / MESSAGES;
  };
}

/** A turn: the CPU of a query, in microseconds. */
function queries(app: NestFastifyApplication, token: string, field: string): () => Promise<number> {
  const query = `{ item { ${Array.from({ length: FIELDS }, (_, i) => `f${i}: ${field}`).join(' ')} } }`;
  const headers = { authorization: `Bearer ${token}` };
  return async () => {
    const before = process.cpuUsage();
    for (let i = 0; i < QUERIES; i++) {
      const { body } = await app.inject({ method: 'POST', url: '/graphql', headers, payload: { query } });
      if (body.includes('errors')) throw new Error(body);
    }
    return cpuSince(before) / QUERIES;
  };
}

const shown = ({ median, min, max }: Spread): string => `${median.toFixed(3)} [${min.toFixed(3)} to ${max.toFixed(3)}]`;

/** Turns of each, one after the other, the first of which warm up. */
async function compare(title: string, entrants: Readonly<Record<string, () => Promise<number>>>): Promise<void> {
  const figures = Object.keys(entrants).map((): number[] => []);
  for (let round = -5; round < ROUNDS; round++)
    for (const [i, turn] of Object.values(entrants).entries()) {
      const figure = await turn();
      if (round >= 0) figures[i]!.push(figure);
    }
  const [first] = figures as [number[]];
  console.log(`${title}: ${spreadOf(first).median.toFixed(1)} µs`);
  for (const [i, name] of Object.keys(entrants).entries())
    if (i > 0) console.log(`  ${name.padEnd(26)}${shown(ratios(figures[i]!, first))}`);
}

async function compareSockets(
  title: string,
  scheme: string,
  at: (place: string) => object,
  adapter: (app: NestFastifyApplication) => WebSocketAdapter,
): Promise<void> {
  const app = await application({ module: class {}, providers: gateways(at) });
  app.useWebSocketAdapter(adapter(app));
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const { authToken } = await app.get(Sessions).create({ userId: 'u1' });
  const origin = `${scheme}://127.0.0.1:${port}`;
  await compare(`a message on an open socket of ${title}`, {
    open: await messages(`${origin}/open`),
    'the same again (control)': await messages(`${origin}/open`),
    'by a guard that is empty': await messages(`${origin}/empty`),
    guarded: await messages(`${origin}/guarded`, authToken),
  });
}

async function compareFields(): Promise<void> {
  const graphql = await application({
    module: class {},
    imports: [
      GraphQLModule.forRoot<MercuriusDriverConfig>({
        driver: MercuriusDriver,
        autoSchemaFile: true,
        fieldResolverEnhancers: ['guards'],
      }),
    ],
    providers: [ItemResolver],
  });
  await graphql.init();
  await graphql.getHttpAdapter().getInstance().ready();
  const session = await graphql.get(Sessions).create({ userId: 'u1' });
  const of = (field: string): (() => Promise<number>) => queries(graphql, session.authToken, field);
  await compare(`a query with ${FIELDS} fields in a guarded one`, {
    open: of('open'),
    'the same again (control)': of('open'),
    'by a guard that is empty': of('empty'),
    guarded: of('guarded'),
  });
}

const SECTIONS: Readonly<Record<string, () => Promise<void>>> = {
  ws: async () =>
    compareSockets(
      'ws',
      'ws',
      (path) => ({ path }),
      (app) => new SessionWsAdapter(app),
    ),
  io: async () =>
    compareSockets(
      'Socket.IO',
      'http',
      (namespace) => ({ namespace }),
      (app) => new SessionIoAdapter(app),
    ),
  graphql: compareFields,
};

const [first, token = ''] = process.argv.slice(2);
if (first?.includes('://')) await beClient(first, token);
else {
  console.log(`Node ${process.version}`);
  for (const [name, section] of Object.entries(SECTIONS)) if (first === undefined || first === name) await section();
  process.exit();
}
