import { Controller, Get, Inject, UseGuards } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  CurrentSession,
  digestToken,
  OptionalSession,
  Public,
  SessionGuard,
  SessionsModule,
  SessionsTable,
} from '@app/sessions';
import { LOOK_UP_UNAVAILABLE } from '../../libs/sessions/src/guard/messages.js';
import { deletionFailed } from '../../libs/sessions/src/module/messages.js';
import { createDatabase, SERVERS, type TestDatabase } from '../support/databases.js';
import { describePlatforms, HttpApp, type HttpAnswer } from '../support/http-app.js';
import { isUpdate, QueryLog } from '../support/query-log.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}
class ApiKeys extends SessionsTable({ table: 'api_keys', tokenPrefix: 'key' }) {}

@UseGuards(SessionGuard)
@Controller()
class Routes {
  constructor(@Inject(Sessions) private readonly sessions: Sessions) {}

  @Get('me')
  me(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @UseGuards(SessionGuard.for(ApiKeys, Sessions))
  @Get('either')
  either(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @OptionalSession()
  @Get('optional')
  optional(@CurrentSession('userId') userId?: string): object {
    return { userId: userId ?? null };
  }

  @Public()
  @Get('log-in')
  async logIn(): Promise<object> {
    const { userId } = await this.sessions.signIn({ userId: 'u3' });
    return { userId };
  }

  @Public()
  @Get('public')
  open(): object {
    return {};
  }
}

const UNAVAILABLE: HttpAnswer = {
  status: 503,
  challenges: [],
  body: {
    message: LOOK_UP_UNAVAILABLE,
    error: 'Service Unavailable',
    statusCode: 503,
    errorCode: 'ERR_SESSION_UNAVAILABLE',
  },
};

const DAY_MS = 86_400_000;

describe.each(SERVERS)('an outage of %s', (name) => {
  describePlatforms('as seen', (platform) => {
    const queries = new QueryLog();
    let database: TestDatabase;
    let proxy: TcpProxy;
    let app: HttpApp;
    let token: string;
    let now = Date.now();

    beforeAll(async () => {
      database = await createDatabase(name);
      const { hostname, port } = new URL(database.url);
      proxy = new TcpProxy({ host: hostname, port: Number(port) });
      await proxy.open();
      app = await HttpApp.start(platform, {
        imports: [
          TypeOrmModule.forRoot({
            type: name,
            url: proxy.through(database.url),
            autoLoadEntities: true,
            synchronize: true,
            logging: true,
            logger: queries,
          }),
          ScheduleModule.forRoot(),
          SessionsModule.forRoot({
            defaultTable: 'sessions',
            clock: () => new Date(now),
            pruning: { interval: 0.01 },
          }),
          SessionsModule.forFeature(Sessions),
          SessionsModule.forFeature(ApiKeys),
        ],
        controllers: [Routes],
      });
      token = (await app.nest.get(Sessions).create({ userId: 'u1' })).authToken;
    });
    afterEach(() => {
      queries.onQuery = undefined;
    });
    afterAll(async () => {
      await app.close();
      await proxy.cut();
      await database.drop();
    });

    const isIn = { status: 200, body: { userId: 'u1' } };

    /** Runs `fn` while the database is gone. */
    async function whileDown(fn: () => Promise<void>): Promise<void> {
      await proxy.cut();
      try {
        await fn();
      } finally {
        await proxy.open();
      }
    }

    it.each(['/me', '/either', '/optional'])(
      'is 503 on %s, neither 401 nor a pass, and over when it is over',
      async (path) => {
        expect(await app.getAs(token, path)).toMatchObject(isIn);
        await whileDown(async () => {
          for (let i = 0; i < 3; i++) expect(await app.getAs(token, path)).toEqual(UNAVAILABLE);
        });
        expect(await app.getAs(token, path)).toMatchObject(isIn);
      },
    );

    it('is 503 for a log-in too, with when to come again, and a line in the log', async () => {
      const line = /^Table "sessions": .*ECONN/;
      const before = app.logs.matching(line).length;
      await whileDown(async () => {
        const { status, headers, body } = await app.send('GET', '/log-in');
        expect({ status, body }).toMatchObject({ status: 503, body: { errorCode: 'ERR_SESSION_UNAVAILABLE' } });
        expect(headers['retry-after']).toBe('1');
      });
      expect(app.logs.matching(line)).toHaveLength(before + 1);
      expect(await app.get('/log-in')).toMatchObject({ status: 200, body: { userId: 'u3' } });
      await app.nest.get(Sessions).deleteAll({ userId: 'u3' });
    });

    it('is 503 for many requests at once, and over for all of them (ASVS 16.5.2, 16.5.3)', async () => {
      const requests = async () => Promise.all(Array.from({ length: 50 }, () => app.getAs(token, '/me')));
      await requests();
      const logged = (): number => app.logs.matching(/^Sessions cannot be looked up/).length;
      const before = logged();
      await whileDown(async () => {
        expect(new Set((await requests()).map(({ status }) => status))).toEqual(new Set([503]));
      });
      // One line a second for each reason.
      expect(logged() - before).toBeGreaterThan(0);
      expect(logged() - before).toBeLessThan(25);
      // So many failures are a reason to try only now and then, for a quarter of a second.
      await expect
        .poll(async () => new Set((await requests()).map(({ status }) => status)), UNTIL_IT_HANGS)
        .toEqual(new Set([200]));
    });

    it('is 503 for a token that was never one too, since nobody can tell', async () => {
      await whileDown(async () => {
        expect(await app.getAs('a'.repeat(64), '/me')).toEqual(UNAVAILABLE);
      });
      expect((await app.getAs('a'.repeat(64), '/me')).status).toBe(401);
    });

    it('changes nothing for requests that need no lookup', async () => {
      await whileDown(async () => {
        expect((await app.get('/public')).status).toBe(200);
        expect((await app.getAs(token, '/public')).status).toBe(200);
        expect(await app.get('/optional')).toMatchObject({ status: 200, body: { userId: null } });
        expect((await app.get('/me')).status).toBe(401);
        expect((await app.getAs('malformed', '/me')).status).toBe(401);
        expect((await app.get('/me', { authorization: [`Bearer ${token}`, `Bearer ${token}`] })).status).toBe(400);
      });
    });

    it('is 503 where it comes between the lookup and the extension, and the extension comes later', async () => {
      now += 3 * DAY_MS;
      const cut = new Promise<void>((resolve) => {
        queries.onQuery = (statement) => isUpdate(statement) && resolve(proxy.cut());
      });
      expect(await app.getAs(token, '/me')).toEqual(UNAVAILABLE);
      await cut;
      queries.onQuery = undefined;
      await proxy.open();
      now += 1000;
      expect(await app.getAs(token, '/me')).toMatchObject(isIn);
      const [session] = await app.nest.get(Sessions).list();
      expect(session!.expiresAt).toEqual(new Date(now + 7 * DAY_MS));
    });

    it('logs nobody out: a log-out that could not be written is an error, and the session is still valid', async () => {
      const sessions = app.nest.get(Sessions);
      const session = (await sessions.authenticate(token))!;
      await whileDown(async () => {
        await expect(sessions.expire(session)).rejects.toBeInstanceOf(Error);
        await expect(sessions.authenticate(token)).rejects.toBeInstanceOf(Error);
      });
      expect(await sessions.expire(session)).toBe(true);
      expect((await app.getAs(token, '/me')).status).toBe(401);
      token = (await sessions.create({ userId: 'u1' })).authToken;
    });

    it('lets the expiry job fail, and go on afterwards', async () => {
      await whileDown(async () => {
        await app.logs.next(deletionFailed('sessions', ''));
      });
      await app.nest.get(Sessions).create({ userId: 'u2', expiresAt: new Date(now - 1) });
      const ended = app.logs.matching(/^Deleted/).length;
      expect(await app.logs.next(/^Deleted/, ended + 1)).toMatchObject({ level: 'debug' });
    });

    it('is logged with its cause, never with a token or a digest (ASVS 16.2.5)', async () => {
      await whileDown(async () => {
        await app.getAs(token, '/me');
      });
      expect(app.logs.matching(/^Sessions cannot be looked up: .*ECONN/).length).toBeGreaterThan(0);
      const secrets = [token, digestToken(token, { algorithm: 'sha256' })];
      expect(app.logs.lines.filter(({ text }) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
    });
  });
});
