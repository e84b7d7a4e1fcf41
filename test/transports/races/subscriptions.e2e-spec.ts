import { APP_GUARD } from '@nestjs/core';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { WebSocket } from 'ws';
import { CurrentSession, LiveSessions, SessionGuard } from '@app/sessions';
import { Sessions } from '../../guard/guarded-app.js';
import { GraphqlApp } from '../graphql/graphql-app.js';
import { describeRaces, type Opening } from './races.js';

/** Subscriptions whose producers run. */
let producers = 0;

@Resolver()
class NotesResolver {
  @Query(() => String)
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Subscription(() => String)
  added(): AsyncIterableIterator<object> {
    producers++;
    let leave!: () => void;
    const left = new Promise<IteratorResult<object>>((resolve) => {
      leave = () => resolve({ done: true, value: undefined });
    });
    return {
      next: async () => left,
      async return() {
        producers--;
        leave();
        return left;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

/** A subscription on a connection of its own. */
function open(port: number, token: string): Opening {
  let opened!: (socket: WebSocket) => void;
  const socket = new Promise<WebSocket>((resolve) => (opened = resolve));
  const client = createClient({
    url: `ws://127.0.0.1:${port}/graphql`,
    webSocketImpl: class extends WebSocket {
      constructor(url: string, protocols: string | string[]) {
        super(url, protocols);
        this.on('error', () => undefined);
        opened(this);
      }
    },
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
  const leave = (): void => client.terminate();
  client.subscribe({ query: 'subscription { added }' }, { next: leave, error: leave, complete: leave });
  return {
    connection: socket.then(
      (ws) => new Promise((resolve) => void ws.once('upgrade', (response) => resolve(response.socket))),
    ),
    ended: socket.then((ws) => new Promise<void>((resolve) => void ws.once('close', () => resolve()))),
    close: leave,
  };
}

// graphql-ws writes there of each client that was reset while it answered.
beforeAll(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined));
afterAll(() => void vi.restoreAllMocks());

describe.each(['apollo on express', 'mercurius'] as const)('connections with a subscription by %s', (driver) =>
  describeRaces(async (database) => {
    const { guarded } = await GraphqlApp.start(driver, {
      database,
      tables: [Sessions],
      providers: [NotesResolver, { provide: APP_GUARD, useClass: SessionGuard }],
      sockets: {},
    });
    return {
      signIn: async () => guarded.get(Sessions).create({ userId: 'ann' }),
      revoke: async (id) => guarded.get(Sessions).revoke({ id }),
      open: (token) => open(guarded.http.port, token),
      atWork: () => guarded.get(LiveSessions).count(Sessions) + producers,
      close: () => guarded.close(),
    };
  }),
);
