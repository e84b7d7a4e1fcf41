import { Controller, Get, UseGuards } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Authoritative,
  CurrentSession,
  RequireFresh,
  SessionGuard,
  SessionsModule,
  SessionsTable,
} from '@app/sessions';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' } },
  cache: { ttl: '1h', channel: null },
  credentials: ['bearer', 'cookie'],
}) {}

@UseGuards(SessionGuard)
@Controller()
class Routes {
  @Get('cached')
  cached(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @Authoritative()
  @Get('authoritative')
  authoritative(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @RequireFresh('10m')
  @Get('fresh')
  fresh(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

@UseGuards(SessionGuard)
@Authoritative()
@Controller('careful')
class CarefulRoutes {
  @Get()
  careful(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

describe('a route of an application with a near cache', () => {
  let database: TestDatabase;
  let app: HttpApp;
  beforeAll(async () => {
    database = await createDatabase('sqlite');
    app = await HttpApp.start('fastify', {
      imports: [
        TypeOrmModule.forRoot({ ...database.options, entities: [Sessions.entity], synchronize: true }),
        SessionsModule.forRoot({ pruning: false }),
        SessionsModule.forFeature(Sessions),
      ],
      controllers: [Routes, CarefulRoutes],
    });
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const carriers = {
    bearer: (token: string) => ({ authorization: `Bearer ${token}` }),
    cookie: (token: string) => ({ cookie: `__Host-session=${token}` }),
  };

  it.each(
    (['bearer', 'cookie'] as const).flatMap((carrier) =>
      (
        [
          ['cached', 200],
          ['authoritative', 401],
          ['fresh', 401],
          ['careful', 401],
        ] as const
      ).map(([route, status]) => [carrier, route, status] as const),
    ),
  )(
    'sees by its %s what somebody wrote past the library: /%s gives %i (ASVS 7.4.1)',
    async (carrier, route, status) => {
      const { authToken, id } = await app.nest.get(Sessions).create({ userId: 'u1' });
      const headers = carriers[carrier](authToken);
      expect((await app.get(`/${route}`, headers)).status).toBe(200);
      expect((await app.get('/cached', headers)).status).toBe(200);
      await app.nest.get(DataSource).getRepository(Sessions.entity).delete({ id });
      expect((await app.get(`/${route}`, headers)).status).toBe(status);
    },
  );
});
