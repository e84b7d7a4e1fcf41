import { EventEmitter, once } from 'node:events';
import { Inject, type INestApplication, Injectable, type Provider, type Type, UseGuards } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  Authoritative,
  CurrentSession,
  OptionalSession,
  Public,
  RequireScopes,
  SessionGuard,
  SessionsModule,
  type SessionsModuleOptions,
  SessionsTable,
  sessionOf,
} from '@app/sessions';
import { SessionsRegistry } from '../../../libs/sessions/src/registry/sessions.registry.js';
import type { SettableClock } from '../../../libs/sessions/src/testing/index.js';
import type { TestDatabase } from '../../support/databases.js';
import { HttpApp } from '../../support/http-app.js';
import { QueryLog } from '../../support/query-log.js';
import type { Platform, Presented, TestSocket } from './test-sockets.js';

class Table extends SessionsTable({
  extraFields: { userId: { type: 'string' } },
  scopes: ['ban'],
  credentials: ['bearer', 'cookie'],
  lastUse: true,
  rotation: true,
}) {}

export class Sessions extends Table {
  /** What happens while a token that was looked up is on its way to who asked. */
  meanwhile: () => Promise<unknown> = async () => undefined;

  override async authenticate(...args: Parameters<Table['authenticate']>): ReturnType<Table['authenticate']> {
    const session = await super.authenticate(...args);
    await this.meanwhile();
    return session;
  }
}

export class Keys extends SessionsTable({
  table: 'keys',
  tokenPrefix: 'key',
  extraFields: { projectId: { type: 'string' } },
  credentials: [{ header: 'X-Api-Key' }],
}) {}

/** What the gateways have been told. */
@Injectable()
export class Heard {
  readonly entered: (string | undefined)[] = [];
  readonly notes: string[] = [];
  readonly #events = new EventEmitter();

  leave(): void {
    this.#events.emit('gone');
  }

  /** As soon as the next socket is closed on this side. */
  async gone(): Promise<void> {
    await once(this.#events, 'gone');
  }
}

/** The answer to a message, as either platform sends it: the acknowledgement of Socket.IO, or an event of ws. */
type Answer = object;

/** Gateways of one application: those of a place share its sockets. */
export function gatewaysFor({ at, answer }: Platform): Type[] {
  class Base {
    @Inject(Heard)
    protected readonly heard!: Heard;

    handleConnection(client: object): void {
      this.heard.entered.push(sessionOf<Sessions>(client)?.userId);
    }

    handleDisconnect(): void {
      this.heard.leave();
    }
  }

  @UseGuards(SessionGuard.for(Sessions))
  @WebSocketGateway(at('/'))
  class Chat extends Base {
    @SubscribeMessage('me')
    me(@CurrentSession('userId') userId: string): Answer {
      return answer(userId);
    }

    @SubscribeMessage('note')
    note(@MessageBody() text: string): void {
      this.heard.notes.push(text);
    }

    @RequireScopes('ban')
    @SubscribeMessage('ban')
    ban(): Answer {
      return answer('banned');
    }

    @Authoritative()
    @SubscribeMessage('sure')
    sure(@CurrentSession('userId') userId: string): Answer {
      return answer(userId);
    }
  }

  @UseGuards(SessionGuard.for(Sessions))
  @WebSocketGateway(at('/mixed'))
  class Guarded {
    @SubscribeMessage('me')
    me(@CurrentSession('userId') userId: string): Answer {
      return answer(userId);
    }
  }

  @Public()
  @UseGuards(SessionGuard.for(Sessions))
  @WebSocketGateway(at('/mixed'))
  class Open {
    @SubscribeMessage('version')
    version(): Answer {
      return answer('1');
    }
  }

  @UseGuards(SessionGuard.for(Keys))
  @WebSocketGateway(at('/either'))
  class OfKeys {
    @SubscribeMessage('project')
    project(@CurrentSession('projectId') projectId: string): Answer {
      return answer(projectId);
    }
  }

  @UseGuards(SessionGuard.for(Sessions))
  @WebSocketGateway(at('/either'))
  class OfSessions {
    @SubscribeMessage('me')
    me(@CurrentSession('userId') userId: string): Answer {
      return answer(userId);
    }
  }

  @UseGuards(SessionGuard.for(Sessions))
  @WebSocketGateway(at('/handler'))
  class Handler extends Base {
    @OptionalSession()
    override handleConnection(client: object): void {
      super.handleConnection(client);
    }

    @SubscribeMessage('me')
    me(@CurrentSession('userId') userId: string): Answer {
      return answer(userId);
    }
  }

  @RequireScopes('ban')
  @UseGuards(SessionGuard.for(Sessions))
  @WebSocketGateway(at('/scoped'))
  class Scoped {
    @SubscribeMessage('me')
    me(@CurrentSession('userId') userId: string): Answer {
      return answer(userId);
    }
  }

  @WebSocketGateway(at('/plain'))
  class Plain {
    @SubscribeMessage('version')
    version(): Answer {
      return answer('1');
    }
  }

  return [Chat, Guarded, Open, OfKeys, OfSessions, Handler, Scoped, Plain];
}

/** An application with gateways on a platform; a second one on its database is as another process. */
export class SocketApp {
  private constructor(
    private readonly platform: Platform,
    readonly http: HttpApp,
    readonly queries: QueryLog,
  ) {}

  static async start(
    platform: Platform,
    database: TestDatabase,
    clock: SettableClock,
    { providers = [], options = {} }: { providers?: readonly Provider[]; options?: SessionsModuleOptions } = {},
  ): Promise<SocketApp> {
    const queries = new QueryLog();
    const module = {
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          autoLoadEntities: true,
          synchronize: true,
          logging: true,
          logger: queries,
        }),
        SessionsModule.forRoot({ pruning: false, clock: clock.now, defaultTable: 'sessions', ...options }),
        SessionsModule.forFeature([Sessions, Keys]),
      ],
      providers: [Heard, ...gatewaysFor(platform), ...providers],
    };
    const prepare = (app: INestApplication): unknown => app.useWebSocketAdapter(platform.adapter(app));
    return new SocketApp(platform, await HttpApp.start('express', module, { prepare }), queries);
  }

  get<T>(type: Type<T>): T {
    return this.http.nest.get(type);
  }

  /** The origin of its own pages. */
  get origin(): string {
    return `http://127.0.0.1:${this.http.port}`;
  }

  /** How much is held for sessions of the table. */
  get held(): number {
    return this.get(SessionsRegistry).store(Sessions).held.count;
  }

  /** Asks for all that is held, as it does from time to time. */
  async check(): Promise<void> {
    await this.get(SessionsRegistry).store(Sessions).held.check();
  }

  open(presented: Presented = {}, place = '/'): TestSocket {
    return this.platform.open(this.http.port, place, presented);
  }

  async close(): Promise<void> {
    await this.http.close();
  }
}
