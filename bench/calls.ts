/**
 * What the guard costs on other transports than HTTP, side by side, from memory: a message on a guarded socket of ws, and of
 * Socket.IO, beside one on an open socket, by the CPU of the server's process, whose client is another one; and a query with twenty
 * guarded fields inside a guarded one, beside the same without guards inside. One of them by its name: `ws`, `io` or `graphql`.
 */
import type { AddressInfo } from 'node:net';
import {
  type CanActivate,
  createParamDecorator,
  type DynamicModule,
  type Type,
  UseGuards,
  type WebSocketAdapter,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Field, GraphQLModule, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  CurrentSession,
  MemoryAdapter,
  SessionGuard,
  SessionsModule,
  SessionsTable,
} from '../libs/sessions/src/index.js';
import { SessionIoAdapter } from '../libs/sessions/src/platform-socket.io/index.js';
import { SessionWsAdapter } from '../libs/sessions/src/platform-ws/index.js';
import { Child } from './child.js';
import { CleanUps } from './clean-ups.js';
import { partsOf, type ShortTurn, shortTurns, shortTurnsTable } from './short-turns.js';
import { textTable } from './table.js';

const MESSAGES = 1000;
const QUERIES = 20;
const TURNS = { rounds: 400, warmUps: 20 };
const FIELDS = 20;

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}

/** What Nest itself takes for any guard. */
class EmptyGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

/** What Nest itself takes for any parameter. */
const Somebody = createParamDecorator(() => 'u1');

/** Gateways that answer alike, each at a place of its own: a path of ws, or a namespace of Socket.IO. */
function gateways(at: (place: string) => object): Type[] {
  @WebSocketGateway(at('/open'))
  class OpenGateway {
    @SubscribeMessage('ping')
    ping(@Somebody() userId: string): object {
      return { event: 'pong', data: userId };
    }
  }

  @UseGuards(EmptyGuard)
  @WebSocketGateway(at('/empty'))
  class EmptyGateway {
    @SubscribeMessage('ping')
    ping(@Somebody() userId: string): object {
      return { event: 'pong', data: userId };
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

/** Of this process, in microseconds. */
function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** A turn: the CPU of a message in this process, in microseconds. */
async function messages(cleanUps: CleanUps, url: string, token = ''): Promise<ShortTurn> {
  const client = new Child<number, void>('calls/client.js', [url, token], cleanUps);
  await client.ask(0);
  return async () => {
    const before = process.cpuUsage();
    await client.ask(MESSAGES);
    return cpuSince(before) / MESSAGES;
  };
}

/** A turn: the CPU of a query, in microseconds. */
function queries(app: NestFastifyApplication, token: string, field: string): ShortTurn {
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

async function compare(title: string, entrants: Readonly<Record<string, ShortTurn>>): Promise<void> {
  const parts = partsOf(await shortTurns(TURNS, entrants));
  console.log(textTable(shortTurnsTable(`${title}, CPU`, parts)));
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
  const clients = new CleanUps();
  try {
    await compare(`a message on an open socket of ${title}`, {
      open: await messages(clients, `${origin}/open`),
      'the same again (control)': await messages(clients, `${origin}/open`),
      'by a guard that is empty': await messages(clients, `${origin}/empty`),
      guarded: await messages(clients, `${origin}/guarded`, authToken),
    });
  } finally {
    await clients.run();
    await app.close();
  }
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
  const of = (field: string): ShortTurn => queries(graphql, session.authToken, field);
  await compare(`a query with ${FIELDS} fields in a guarded one`, {
    open: of('open'),
    'the same again (control)': of('open'),
    'by a guard that is empty': of('empty'),
    guarded: of('guarded'),
  });
  await graphql.close();
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

const wanted = process.argv.slice(2);
console.log(`Node ${process.version}`);
for (const [name, section] of Object.entries(SECTIONS))
  if (wanted.length === 0 || wanted.includes(name)) await section();
