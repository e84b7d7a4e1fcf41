import {
  Controller,
  ForbiddenException,
  Get,
  type HttpException,
  Injectable,
  NotFoundException,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CurrentSession, SessionGuard, SessionsModule } from '@app/sessions';
import { inForRoot, noRealm, tableUnknown } from '../../libs/sessions/src/registry/messages.js';
import { describePlatforms } from '../support/http-app.js';
import { ApiKeys, GuardedApp, Sessions } from './guarded-app.js';

/** Takes the token from `X-Session` alone, and hides the route from others. */
@Injectable()
class OwnGuard extends SessionGuard {
  protected override extractCredentials({ headers }: Parameters<SessionGuard['extractCredentials']>[0]) {
    const token = headers['x-session'];
    return typeof token === 'string'
      ? ({ kind: 'one', token, source: 'bearer' } as const)
      : ({ kind: 'none' } as const);
  }

  protected override refuse(...[context, refusal]: Parameters<SessionGuard['refuse']>): HttpException {
    super.refuse(context, refusal);
    return new NotFoundException('There is nothing here.');
  }
}

/** Lets one user through only. */
@Injectable()
class OneUserGuard extends SessionGuard {
  protected override async authorize(...[context, session, request]: Parameters<SessionGuard['authorize']>) {
    await super.authorize(context, session, request);
    await Promise.resolve();
    if (Reflect.get(session, 'userId') !== 'u1') throw new ForbiddenException('You are somebody else.');
  }
}

@Controller()
class Routes {
  @UseGuards(OneUserGuard)
  @Get('one')
  one(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @UseGuards(OwnGuard)
  @Get('me')
  me(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @UseGuards(OwnGuard.for(ApiKeys))
  @Get('project')
  project(@CurrentSession('projectId') projectId: string): object {
    return { projectId };
  }
}

describePlatforms('a subclass of the guard', (platform) => {
  let app: GuardedApp;
  beforeAll(async () => {
    app = await GuardedApp.start(platform, {
      controllers: [Routes],
      providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
    });
  });
  afterAll(() => app.close());

  it('takes credentials from where its own method finds them', async () => {
    const { authToken } = await app.get(Sessions).create({ userId: 'u1' });
    expect(await app.http.get('/me', { 'X-Session': authToken })).toMatchObject({
      status: 200,
      body: { userId: 'u1' },
    });
    expect((await app.http.getAs(authToken, '/me')).status).toBe(404);
  });

  it('guards other tables by for() like its parent', async () => {
    const { authToken } = await app.get(ApiKeys).create({ projectId: 'p1' });
    expect(await app.http.get('/project', { 'X-Session': authToken })).toMatchObject({ body: { projectId: 'p1' } });
  });

  it('lets through whom its own method does, which is waited for', async () => {
    const [one, other] = [
      await app.get(Sessions).create({ userId: 'u1' }),
      await app.get(Sessions).create({ userId: 'u2' }),
    ];
    expect(await app.http.getAs(one.authToken, '/one')).toMatchObject({ status: 200, body: { userId: 'u1' } });
    expect(await app.http.getAs(other.authToken, '/one')).toMatchObject({ status: 403, challenges: [] });
  });

  it('refuses as its own method says, and keeps the challenge', async () => {
    expect(await app.http.get('/me')).toMatchObject({ status: 404, challenges: ['Bearer realm="api"'] });
  });
});

describe('SessionGuard.for', () => {
  it('makes one guard for the same tables, named after them', () => {
    expect(SessionGuard.for(Sessions, ApiKeys)).toBe(SessionGuard.for(Sessions, ApiKeys));
    expect(SessionGuard.for(Sessions, ApiKeys).name).toBe('SessionGuard(Sessions, ApiKeys)');
    expect(OwnGuard.for('api_keys').name).toBe('OwnGuard(api_keys)');
  });

  it('makes different guards for another order, other tables and another parent', () => {
    const guards = [
      SessionGuard.for(Sessions, ApiKeys),
      SessionGuard.for(ApiKeys, Sessions),
      SessionGuard.for(Sessions),
      SessionGuard.for('sessions'),
      OwnGuard.for(Sessions),
    ];
    expect(new Set(guards).size).toBe(guards.length);
  });
});

describe('the start of an application', () => {
  @Controller()
  class KeyRoutes {
    @UseGuards(SessionGuard.for(ApiKeys))
    @Get('project')
    project(): void {}
  }

  @Controller()
  class NamedRoutes {
    @UseGuards(SessionGuard.for('no_such_table'))
    @Get('project')
    project(): void {}
  }

  async function start(metadata: { controllers?: never[] | (typeof KeyRoutes)[]; options?: { realm: string } }) {
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type: 'better-sqlite3', database: ':memory:', autoLoadEntities: true }),
        SessionsModule.forRoot({ pruning: false, ...metadata.options }),
        SessionsModule.forFeature(Sessions),
      ],
      controllers: metadata.controllers ?? [],
    }).compile();
    try {
      await module.init();
    } finally {
      await module.close();
    }
  }

  it('fails where a guard is for a table that is not registered', async () => {
    await expect(start({ controllers: [KeyRoutes] })).rejects.toThrow(tableUnknown('api_keys'));
  });

  it('fails where a guard is for a name that no table has', async () => {
    await expect(start({ controllers: [NamedRoutes] })).rejects.toMatchObject({ code: 'ERR_SESSIONS_CONFIG' });
  });

  it('fails where the realm fits into no header', async () => {
    await expect(start({ options: { realm: 'a\r\nb' } })).rejects.toThrow(inForRoot(noRealm('a\r\nb')));
  });

  it('succeeds otherwise', async () => {
    await expect(start({ options: { realm: 'a b' } })).resolves.toBeUndefined();
  });
});
