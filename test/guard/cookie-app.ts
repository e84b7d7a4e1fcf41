import { Body, Controller, type DynamicModule, Get, Post, Res, type Type, UseGuards } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import {
  CurrentSession,
  MemoryAdapter,
  OptionalSession,
  Public,
  SessionCookies,
  SessionEvents,
  SessionGuard,
  type SessionOf,
  SessionsModule,
  type SessionsModuleOptions,
  SessionsTable,
  type SessionEvent,
} from '@app/sessions';
import { SettableClock } from '../../libs/sessions/src/testing/index.js';
import { HttpApp, type HttpSetUp, type Platform, type SentHeaders, type WholeAnswer } from '../support/http-app.js';

/** People with browsers, and with programs. */
export class People extends SessionsTable({
  table: 'people',
  extraFields: { userId: { type: 'string' } },
  credentials: ['bearer', 'cookie'],
  freshness: true,
}) {}

/** Their tokens are replaced now and then. */
export class Rotating extends SessionsTable({
  table: 'rotating',
  credentials: ['cookie'],
  cookie: { name: '__Host-rotating' },
  rotation: true,
}) {}

/** Its cookie goes away with the browser, and to one part of the site. */
export class Admins extends SessionsTable({
  table: 'admins',
  credentials: ['cookie'],
  cookie: { name: '__Secure-admin', path: '/either', sameSite: 'strict', persistent: false },
}) {}

/** Takes no cookie. */
export class Keys extends SessionsTable({ table: 'keys', tokenPrefix: 'key', credentials: [{ header: 'X-Key' }] }) {}

@Controller()
class Routes {
  constructor(
    private readonly people: People,
    private readonly rotating: Rotating,
    private readonly admins: Admins,
    private readonly cookies: SessionCookies,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @OptionalSession()
  @UseGuards(SessionGuard)
  @Post('login')
  async login(
    @Body('userId') userId: string,
    @Res({ passthrough: true }) response: unknown,
    @CurrentSession() presented?: SessionOf<People>,
  ): Promise<object> {
    const session = await this.people.signIn({ userId: userId ?? 'ann' }, { replaces: presented });
    this.cookies.set(response, session);
    return session;
  }

  @UseGuards(SessionGuard)
  @Post('confirm')
  async confirm(
    @CurrentSession() session: SessionOf<People>,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<void> {
    const { httpAdapter } = this.adapterHost;
    httpAdapter.setCookie(response, 'theme', 'dark');
    httpAdapter.setCookie(response, '__Host-session', 'old', { path: '/old' });
    this.cookies.set(response, await this.people.reauthenticate(session));
  }

  @UseGuards(SessionGuard)
  @Post('logout')
  async logout(
    @CurrentSession() session: SessionOf<People>,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<void> {
    await this.people.revoke(session);
    this.cookies.clear(response);
  }

  @UseGuards(SessionGuard)
  @Post('forget')
  forget(@Res({ passthrough: true }) response: unknown): void {
    this.cookies.clear(response, { siteData: true });
  }

  @UseGuards(SessionGuard)
  @Get('me')
  me(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @UseGuards(SessionGuard)
  @Post('me')
  change(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @OptionalSession()
  @UseGuards(SessionGuard)
  @Get('maybe')
  maybe(@CurrentSession('userId') userId?: string): object {
    return { userId };
  }

  @OptionalSession()
  @UseGuards(SessionGuard)
  @Post('maybe')
  maybeChange(@CurrentSession('userId') userId?: string): object {
    return { userId };
  }

  @Public()
  @UseGuards(SessionGuard)
  @Post('public')
  open(): object {
    return {};
  }

  @UseGuards(SessionGuard.for(People, Admins))
  @Get('either')
  either(): object {
    return {};
  }

  @Post('rotating/login')
  async rotatingLogin(@Res({ passthrough: true }) response: unknown): Promise<void> {
    this.cookies.for(Rotating).set(response, await this.rotating.create({}));
  }

  @UseGuards(SessionGuard.for(Rotating))
  @Get('rotating')
  found(): object {
    return {};
  }

  @UseGuards(SessionGuard.for(Rotating))
  @Post('rotating')
  async rotate(
    @CurrentSession() session: SessionOf<Rotating>,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<void> {
    const rotated = await this.rotating.rotate(session);
    if (rotated) this.cookies.for(Rotating).set(response, rotated);
  }

  @Post('admins/login')
  async adminLogin(@Res({ passthrough: true }) response: unknown): Promise<void> {
    this.cookies.for(Admins).set(response, await this.admins.create({}));
  }
}

/** An application in memory that takes cookies, whose clock the test sets. */
export class CookieApp {
  readonly clock = new SettableClock(new Date('2026-03-01T12:00:00.000Z'));
  readonly told: SessionEvent[] = [];
  #http!: HttpApp;

  static async start(
    platform: Platform,
    options: Partial<SessionsModuleOptions> = {},
    setUp: HttpSetUp = {},
    more: readonly DynamicModule[] = [],
  ): Promise<CookieApp> {
    const app = new CookieApp();
    const forRoot = {
      adapter: new MemoryAdapter(),
      defaultTable: 'people',
      pruning: false,
      clock: app.clock.now,
    } as const;
    const imports = [
      ...more,
      SessionsModule.forRoot({ ...forRoot, ...options }),
      ...[People, Rotating, Admins, Keys].map((table) => SessionsModule.forFeature(table)),
    ];
    app.#http = await HttpApp.start(platform, { imports, controllers: [Routes] }, setUp);
    app.get(SessionEvents).all.subscribe((event) => app.told.push(event));
    return app;
  }

  get http(): HttpApp {
    return this.#http;
  }

  /** The origin of its own pages. */
  get origin(): string {
    return `http://127.0.0.1:${this.#http.port}`;
  }

  get<T>(type: Type<T>): T {
    return this.#http.nest.get(type);
  }

  /** Why requests were refused since the last call. */
  refusals(): string[] {
    return this.told.splice(0).flatMap((event) => (event.type === 'refused' ? [event.reason] : []));
  }

  async close(): Promise<void> {
    await this.#http.close();
  }
}

/** A browser on the application's own pages, as far as cookies go. It forgets none by the time. */
export class Browser {
  readonly cookies = new Map<string, string>();

  constructor(private readonly app: CookieApp) {}

  async get(path: string, headers: SentHeaders = {}): Promise<WholeAnswer> {
    return this.send('GET', path, headers);
  }

  async post(path: string, headers: SentHeaders = {}): Promise<WholeAnswer> {
    return this.send('POST', path, headers);
  }

  private async send(method: string, path: string, headers: SentHeaders): Promise<WholeAnswer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const own = { 'Sec-Fetch-Site': 'same-origin', ...(cookie && { cookie }) };
    const answer = await this.app.http.send(method, path, { ...own, ...headers });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(name!);
      else this.cookies.set(name!, value!);
    }
    return answer;
  }
}
