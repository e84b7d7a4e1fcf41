import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { DynamicModule, Provider } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { FastifyRequest } from 'fastify';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { type Client, createClient } from 'graphql-ws';
import { describe } from 'vitest';
import { WebSocket } from 'ws';
import {
  SubscriptionSessions,
  SubscriptionSessionsModule,
  type SubscriptionSessionsOptions,
} from '@app/sessions/graphql';
import { GuardedApp, type GuardedAppOptions } from '../../guard/guarded-app.js';
import type { Platform, SentHeaders, WholeAnswer } from '../../support/http-app.js';

export type Driver = 'apollo on express' | 'apollo on fastify' | 'mercurius';

/** Runs a suite on each driver of GraphQL. */
export function describeDrivers(title: string, suite: (driver: Driver) => void): void {
  describe.each(['apollo on express', 'apollo on fastify', 'mercurius'] as const)(`${title} by %s`, suite);
}

/** What a suite says of its schema. */
export interface GraphqlSetUp extends Omit<GuardedAppOptions, 'controllers' | 'providers'> {
  readonly providers: readonly Provider[];
  /** Whether guards stand before fields of objects too. */
  readonly fieldGuards?: boolean;
  /** Whether operations may come by sockets: looked at one by one, or let in with their connection. */
  readonly sockets?: 'by operation' | SubscriptionSessionsOptions;
}

/** What the answer to an operation is. */
export interface GraphqlAnswer {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** An application whose resolvers are guarded. */
export class GraphqlApp {
  private constructor(readonly guarded: GuardedApp) {}

  static async start(
    driver: Driver,
    { providers, fieldGuards = false, sockets, imports = [], ...options }: GraphqlSetUp,
  ): Promise<GraphqlApp> {
    const platform: Platform = driver === 'apollo on express' ? 'express' : 'fastify';
    const module = graphqlModule(driver, sockets, {
      autoSchemaFile: true,
      fieldResolverEnhancers: fieldGuards ? ['guards'] : [],
    });
    return new GraphqlApp(
      await GuardedApp.start(platform, { ...options, controllers: [], providers, imports: [module, ...imports] }),
    );
  }

  /** Sends an operation, or several at once. */
  async send(query: string | readonly string[], headers: SentHeaders = {}): Promise<WholeAnswer> {
    const body = typeof query === 'string' ? { query } : query.map((one) => ({ query: one }));
    return this.guarded.http.send(
      'POST',
      '/graphql',
      { 'content-type': 'application/json', ...headers },
      JSON.stringify(body),
    );
  }

  /** The answer to an operation with a bearer token, or without. */
  async ask(query: string, token?: string): Promise<GraphqlAnswer> {
    const { body } = await this.send(query, token === undefined ? {} : { authorization: `Bearer ${token}` });
    return body as GraphqlAnswer;
  }
}

/** A client of graphql-ws; `handshake` has the headers of its request. */
export function socketClient(
  app: GraphqlApp,
  { params, handshake = {} }: { params?: Record<string, unknown>; handshake?: Readonly<Record<string, string>> } = {},
): Client {
  return createClient({
    url: `ws://127.0.0.1:${app.guarded.http.port}/graphql`,
    webSocketImpl: class extends WebSocket {
      constructor(url: string, protocols: string | string[]) {
        super(url, protocols, { headers: handshake });
      }
    },
    ...(params && { connectionParams: params }),
    retryAttempts: 0,
    // One connection for all operations of a test, which ends it.
    lazyCloseTimeout: 60_000,
  });
}

/** What comes of an operation on a socket, of a subscription its first event. */
export async function answerOn(client: Client, query: string): Promise<GraphqlAnswer> {
  const answers = client.iterate({ query });
  try {
    const { value } = (await answers.next()) as { value: GraphqlAnswer };
    return value;
  } catch (error) {
    // Mercurius tells of what it cannot begin by a message of its own.
    return { errors: error as NonNullable<GraphqlAnswer['errors']> };
  } finally {
    await answers.return?.();
  }
}

/** How a connection of a client is closed: the code, and the reason. */
export function closingOf(client: Client): () => Promise<readonly [code: number, reason: string]> {
  const closed = new Promise<readonly [number, string]>((resolve) =>
    client.on('closed', (event) => {
      const { code, reason } = event as { readonly code: number; readonly reason: string };
      resolve([code, reason]);
    }),
  );
  return () => closed;
}

function graphqlModule(driver: Driver, sockets: GraphqlSetUp['sockets'], options: object): DynamicModule {
  const asked = { imports: [SubscriptionSessionsModule], inject: [SubscriptionSessions] };
  if (driver === 'mercurius')
    return GraphQLModule.forRootAsync<MercuriusDriverConfig>({
      driver: MercuriusDriver,
      ...asked,
      useFactory: (subscriptions: SubscriptionSessions) => ({
        allowBatchedQueries: true,
        ...options,
        ...(sockets && { subscription: { fullWsTransport: true, ...mercuriusSockets(sockets, subscriptions) } }),
      }),
    });
  return GraphQLModule.forRootAsync<ApolloDriverConfig>({
    driver: ApolloDriver,
    ...asked,
    useFactory: (subscriptions: SubscriptionSessions) => ({
      allowBatchedHttpRequests: true,
      includeStacktraceInErrorResponses: false,
      graphiql: false,
      ...options,
      ...(sockets && {
        subscriptions: { 'graphql-ws': sockets === 'by operation' || subscriptions.graphqlWs(sockets) },
      }),
    }),
  });
}

function mercuriusSockets(sockets: NonNullable<GraphqlSetUp['sockets']>, subscriptions: SubscriptionSessions) {
  if (sockets !== 'by operation') return subscriptions.mercurius(sockets);
  return { context: (socket: WebSocket, request: FastifyRequest) => ({ socket, request }) };
}
