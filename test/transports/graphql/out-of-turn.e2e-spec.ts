import { once } from 'node:events';
import { APP_GUARD } from '@nestjs/core';
import { Query, Resolver } from '@nestjs/graphql';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { CurrentSession, LiveSessions, SessionGuard } from '@app/sessions';
import { Sessions } from '../../guard/guarded-app.js';
import { UNTIL_IT_HANGS } from '../../support/until.js';
import { describeDrivers, GraphqlApp } from './graphql-app.js';

@Resolver()
class Notes {
  static readonly seen: string[] = [];

  @Query(() => String)
  me(@CurrentSession('userId') userId: string): string {
    Notes.seen.push(userId);
    return userId;
  }
}

interface Message {
  readonly type: string;
  readonly payload?: unknown;
}

/** A client that says what it likes, in the protocol of graphql-ws. */
class RawClient {
  readonly heard: Message[] = [];
  readonly #socket: WebSocket;
  readonly closed: Promise<unknown>;

  constructor(port: number) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws');
    this.#socket.on('message', (text: Buffer) => this.heard.push(JSON.parse(text.toString()) as Message));
    this.closed = once(this.#socket, 'close');
  }

  async say(...messages: readonly object[]): Promise<void> {
    if (this.#socket.readyState === WebSocket.CONNECTING) await once(this.#socket, 'open');
    for (const message of messages) this.#socket.send(JSON.stringify(message));
  }

  /** Until the server has sent something. */
  async heardOf(type: string): Promise<void> {
    while (!this.heard.some((message) => message.type === type)) await once(this.#socket, 'message');
  }

  close(): void {
    this.#socket.terminate();
  }
}

const ask = { id: '1', type: 'subscribe', payload: { query: '{ me }' } };
const init = (token: string) => ({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });

describeDrivers('what a client says out of turn', (driver) => {
  let app: GraphqlApp;
  let client: RawClient;
  const tokenOf = async (userId: string) => (await app.guarded.get(Sessions).create({ userId })).authToken;
  beforeAll(async () => {
    const providers = [Notes, { provide: APP_GUARD, useClass: SessionGuard }];
    app = await GraphqlApp.start(driver, { tables: [Sessions], providers, sockets: {} });
  });
  afterAll(() => app.guarded.close());
  afterEach(() => {
    client.close();
    Notes.seen.length = 0;
  });

  it('a second connection_init closes the connection, and changes nobody’s session', async () => {
    const [ann, bob] = [await tokenOf('ann'), await tokenOf('bob')];
    client = new RawClient(app.guarded.http.port);
    await client.say(init(ann));
    await client.heardOf('connection_ack');
    await client.say(init(bob), ask);
    await client.closed;
    expect(Notes.seen).not.toContain('bob');
    await vi.waitFor(() => expect(app.guarded.get(LiveSessions).count(Sessions)).toBe(0), UNTIL_IT_HANGS);
  });

  it('two that come together are no way in for the second', async () => {
    const [ann, bob] = [await tokenOf('ann'), await tokenOf('bob')];
    client = new RawClient(app.guarded.http.port);
    await client.say(init(ann), init(bob), ask);
    await client.closed;
    expect(Notes.seen).not.toContain('bob');
  });

  it('an operation before any connection_init closes the connection, and is looked up by nothing', async () => {
    client = new RawClient(app.guarded.http.port);
    const statements = await app.guarded.queries.countOf(async () => {
      await client.say(ask);
      await client.closed;
    });
    expect([statements, Notes.seen]).toEqual([0, []]);
  });

  it('an operation while its connection_init is looked up is not answered before that', async () => {
    const token = await tokenOf('ann');
    client = new RawClient(app.guarded.http.port);
    await client.say(init('x'.repeat(64)), ask, init(token));
    await client.closed;
    expect(Notes.seen).toEqual([]);
  });
});
