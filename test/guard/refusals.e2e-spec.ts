import { Body, Controller, Get, Inject, Post, Req, UnauthorizedException, UseGuards } from '@nestjs/common';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClientRequest,
  OptionalSession,
  type RefusalBudget as Budget,
  type RefusalLimiter,
  RefusalBudget,
  SessionGuard,
  SessionsTable,
} from '@app/sessions';
import { BUDGET_UNAVAILABLE, SESSION_OVER, TOO_MANY_REFUSALS } from '../../libs/sessions/src/guard/messages.js';
import { describePlatforms } from '../support/http-app.js';
import { GuardedApp } from './guarded-app.js';

class Sessions extends SessionsTable({
  revocation: true,
  credentials: ['bearer', 'cookie'],
  cache: { channel: null },
}) {}
class Keys extends SessionsTable({ table: 'keys', tokenPrefix: 'key' }) {}

const UNKNOWN = 'x'.repeat(64);
const POINTS = 5;
const TOO_MANY = {
  status: 429,
  body: { statusCode: 429, message: TOO_MANY_REFUSALS, error: 'Too Many Requests', errorCode: 'ERR_SESSION_REFUSALS' },
};

/** Limiters that a test may empty, or break. */
class Limiters {
  #perAddress!: RateLimiterMemory;
  #perAccount!: RateLimiterMemory;
  fails: 'never' | 'at once' | 'without an answer' = 'never';

  constructor() {
    this.reset();
  }

  reset(): void {
    this.fails = 'never';
    // Longer than any run, so that no test waits for a point.
    this.#perAddress = new RateLimiterMemory({ points: POINTS, duration: 3600 });
    this.#perAccount = new RateLimiterMemory({ points: 2, duration: 3600 });
  }

  readonly perAddress = this.#on(() => this.#perAddress);
  readonly perAccount = this.#on(() => this.#perAccount);

  #on(limiter: () => RateLimiterMemory): RefusalLimiter {
    const ask = async (call: () => Promise<unknown>): Promise<unknown> => {
      if (this.fails === 'at once') throw new Error('no connection');
      return this.fails === 'without an answer' ? new Promise(() => undefined) : call();
    };
    return {
      consume: (key) => ask(() => limiter().consume(key)),
      reward: (key) => ask(() => limiter().reward(key)),
    };
  }
}

const limiters = new Limiters();
const budget = new RefusalBudget(limiters);

@Controller()
class Routes {
  /** What is thrown by the next proof. */
  static outage: Error | undefined;

  constructor(@Inject(RefusalBudget) private readonly refusals: Budget) {}

  @UseGuards(SessionGuard.for(Sessions, Keys))
  @Get('any')
  any(): string {
    return 'in';
  }

  @UseGuards(SessionGuard)
  @Get('me')
  me(): string {
    return 'in';
  }

  @OptionalSession()
  @UseGuards(SessionGuard)
  @Get('maybe')
  maybe(): string {
    return 'in';
  }

  @Post('login')
  async login(@Req() request: ClientRequest, @Body() { email, password }: Record<'email' | 'password', string>) {
    const user = await this.refusals.attempt(request, email, async () => {
      if (Routes.outage) throw Routes.outage;
      return password === 'right' ? { email } : null;
    });
    if (!user) throw new UnauthorizedException();
    return user;
  }
}

describePlatforms('refusals', (platform) => {
  const told: unknown[] = [];
  let app: GuardedApp;
  beforeAll(async () => {
    app = await GuardedApp.start(platform, {
      controllers: [Routes],
      providers: [{ provide: RefusalBudget, useValue: budget }],
      tables: [Sessions, Keys],
      options: {
        onRefused: async (request, reason, session) => {
          told.push([request.headers['user-agent'], reason, session?.id]);
          await budget.onRefused(request);
        },
      },
    });
  });
  afterEach(() => {
    told.length = 0;
    Routes.outage = undefined;
    limiters.reset();
  });
  afterAll(() => app.close());

  const asWith = (token: string, path = '/me') =>
    app.http.get(path, { Authorization: `Bearer ${token}`, 'User-Agent': 'a browser' });
  const times = async <T>(count: number, ask: () => Promise<T>): Promise<T[]> => {
    const answers: T[] = [];
    for (let i = 0; i < count; i++) answers.push(await ask());
    return answers;
  };
  const statuses = (answers: readonly { readonly status: number }[]): number[] => answers.map(({ status }) => status);

  describe.each(['/me', '/any'])('at %s', (path) => {
    it('are told with the request, why, and the session, and with no token', async () => {
      const { id, authToken } = await app.get(Sessions).create({});
      await asWith(authToken, path);
      await app.get(Sessions).revoke({ id });
      for (const token of [UNKNOWN, authToken, 'none']) {
        expect(await asWith(token, path)).toMatchObject({ status: 401, body: { message: SESSION_OVER } });
      }
      expect(told).toEqual([
        ['a browser', 'unknown', undefined],
        ['a browser', 'revoked', id],
        ['a browser', 'malformed', undefined],
      ]);
    });

    it('are answered with 429 where there were too many, and valid tokens never', async () => {
      const { authToken } = await app.get(Sessions).create({});
      expect(statuses(await times(POINTS, () => asWith(UNKNOWN, path)))).toEqual(Array(POINTS).fill(401));
      const answer = await asWith(UNKNOWN, path);
      expect(answer).toMatchObject(TOO_MANY);
      expect(answer.challenges).toEqual([]);
      expect(statuses(await times(3, () => asWith(authToken, path)))).toEqual([200, 200, 200]);
      expect(statuses(await times(2, () => app.http.get(path)))).toEqual([401, 401]);
    });

    it.each(['at once', 'without an answer'] as const)('are 401 where the limiter fails %s', async (fails) => {
      limiters.fails = fails;
      expect(statuses([await asWith(UNKNOWN, path)])).toEqual([401]);
    });
  });

  it('say when to come again', async () => {
    await times(POINTS, () => asWith(UNKNOWN));
    const { headers } = await app.http.send('GET', '/me', { Authorization: `Bearer ${UNKNOWN}` });
    expect(Number(headers['retry-after'])).toBeGreaterThan(3000);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(3600);
  });

  it('do not keep a browser with an old cookie from a route that asks for no session', async () => {
    const cookie = { Cookie: `__Host-sessions=${UNKNOWN}` };
    expect(statuses(await times(POINTS + 2, () => app.http.get('/maybe', cookie)))).toEqual(
      Array(POINTS + 2).fill(200),
    );
    expect(told).toEqual([]);
  });

  describe('of passwords', () => {
    const logIn = (email: string, password: string) => app.http.postForm('/login', { email, password });

    it('are bounded, also of guesses at the same time, and those who know it are let in', async () => {
      expect(statuses(await times(8, () => logIn('ann@example.com', 'right')))).toEqual(Array(8).fill(201));
      const guesses = await Promise.all(Array.from({ length: 60 }, () => logIn('ann@example.com', 'wrong')));
      expect(guesses.filter(({ status }) => status === 401)).toHaveLength(2);
      expect(guesses.filter(({ status }) => status === 429)).toHaveLength(58);
      expect(guesses.find(({ status }) => status === 429)).toMatchObject(TOO_MANY);
    });

    it('count for the account and for the address', async () => {
      expect(statuses(await times(3, () => logIn('ann@example.com', 'wrong')))).toEqual([401, 401, 429]);
      expect(statuses(await times(2, () => logIn('bob@example.com', 'wrong')))).toEqual([401, 401]);
      expect(statuses(await times(2, () => logIn('cid@example.com', 'wrong')))).toEqual([401, 429]);
    });

    it('are none where the proof fails', async () => {
      Routes.outage = new Error('no room');
      expect(statuses(await times(POINTS, () => logIn('ann@example.com', 'right')))).toEqual(Array(POINTS).fill(500));
      Routes.outage = undefined;
      expect(statuses([await logIn('ann@example.com', 'right')])).toEqual([201]);
    });

    it('are not counted where the limiter fails, which the log says once', async () => {
      limiters.fails = 'at once';
      expect(statuses(await times(POINTS + 1, () => logIn('ann@example.com', 'wrong')))).toEqual(
        Array(POINTS + 1).fill(401),
      );
      expect(app.http.logs.matching(BUDGET_UNAVAILABLE).length).toBeLessThanOrEqual(1);
    });
  });
});
