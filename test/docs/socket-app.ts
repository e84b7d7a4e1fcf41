import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { Controller, Post, type Provider, type Type, UseGuards } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { WebSocket } from 'ws';
import {
  CurrentSession,
  LiveSessions,
  SessionCookies,
  SessionGuard,
  type SessionOf,
  SessionsModule,
  SessionsTable,
} from '@app/sessions';
import type { SettableClock } from '../../libs/sessions/src/testing/index.js';
import type { TestDatabase } from '../support/databases.js';
import { HttpApp, type HttpAnswer } from '../support/http-app.js';
import { QueryLog } from '../support/query-log.js';
import { run } from './run.js';

class Table extends SessionsTable({ extraFields: { userId: { type: 'string' } }, credentials: ['cookie'] }) {}

export class Sessions extends Table {
  /** What happens while a token that was looked up is on its way to who asked. */
  meanwhile: () => Promise<unknown> = async () => undefined;

  override async authenticate(token: unknown): Promise<SessionOf<Table> | null> {
    const session = await super.authenticate(token);
    await this.meanwhile();
    return session;
  }
}

interface Recipe {
  readonly EventsGateway: Type<object>;
}

export const { EventsGateway } = (await run('docs/guard.md', 'sockets', {
  LiveSessions,
  SessionCookies,
  Sessions,
})) as Recipe;

/** The gateway of the document, with another kind of message. */
export class NotesGateway extends EventsGateway {
  readonly #events = new EventEmitter();
  readonly notes: string[] = [];

  @SubscribeMessage('note')
  note(@MessageBody() text: string): void {
    this.notes.push(text);
  }

  handleDisconnect(): void {
    this.#events.emit('gone');
  }

  /** As soon as the next socket is closed on this side. */
  async gone(): Promise<void> {
    await once(this.#events, 'gone');
  }
}

@UseGuards(SessionGuard)
@Controller()
class Routes {
  constructor(private readonly sessions: Sessions) {}

  @Post('logout')
  async logout(@CurrentSession() session: SessionOf<Sessions>): Promise<void> {
    await this.sessions.revoke(session);
  }
}

/** What a test says of its application. */
export interface SocketSetUp {
  readonly providers?: readonly Provider[];
}

/** An application with the gateway of the document. */
export class SocketApp {
  private constructor(
    readonly http: HttpApp,
    readonly queries: QueryLog,
  ) {}

  static async start(
    database: TestDatabase,
    clock: SettableClock,
    { providers = [NotesGateway] }: SocketSetUp = {},
  ): Promise<SocketApp> {
    const queries = new QueryLog();
    const log = { logging: true, logger: queries };
    const module = {
      imports: [
        TypeOrmModule.forRoot({ ...database.options, ...log, autoLoadEntities: true, synchronize: true }),
        SessionsModule.forRoot({ pruning: false, clock: clock.now }),
        SessionsModule.forFeature(Sessions),
      ],
      controllers: [Routes],
      providers,
    };
    const prepare = (app: HttpApp['nest']): unknown => app.useWebSocketAdapter(new WsAdapter(app));
    return new SocketApp(await HttpApp.start('express', module, { prepare }), queries);
  }

  get<T>(type: Type<T>): T {
    return this.http.nest.get(type);
  }

  /** The origin of its own pages. */
  get origin(): string {
    return `http://127.0.0.1:${this.http.port}`;
  }

  async logOut(token: string): Promise<HttpAnswer> {
    return this.http.send('POST', '/logout', { 'Sec-Fetch-Site': 'same-origin', cookie: cookieOf(token) });
  }

  /** The socket of a page of the application's own, or of another origin. */
  async connect(token?: string, origin = this.origin): Promise<Client> {
    return Client.open(`ws://127.0.0.1:${this.http.port}`, {
      origin,
      ...(token !== undefined && { cookie: cookieOf(token) }),
    });
  }

  async close(): Promise<void> {
    await this.http.close();
  }
}

function cookieOf(token: string): string {
  return `__Host-session=${token}`;
}

/** A WebSocket, as a page has it. */
export class Client {
  private constructor(
    readonly socket: WebSocket,
    /** The code by which it was closed. */
    readonly closed: Promise<number>,
    /** What carries it. */
    private readonly connection: Socket,
  ) {}

  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<Client> {
    const socket = new WebSocket(url, { headers });
    const closed = once(socket, 'close').then(([code]) => code as number);
    const upgraded = once(socket, 'upgrade');
    await once(socket, 'open');
    const [{ socket: connection }] = (await upgraded) as [{ socket: Socket }];
    return new Client(socket, closed, connection);
  }

  send(event: string, data?: string): void {
    this.socket.send(JSON.stringify({ event, data }));
  }

  /** What the server answers, which is none where it closes the socket. */
  async whoAmI(): Promise<unknown> {
    const answer = once(this.socket, 'message').then(([message]) => JSON.parse(String(message)) as unknown);
    this.send('whoami');
    return Promise.race([answer, this.closed]);
  }

  /** Ends the connection without a word, which the server notices at once. */
  reset(): void {
    this.connection.resetAndDestroy();
  }
}
