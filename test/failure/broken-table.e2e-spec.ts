import { Controller, Get, UseGuards } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestToken, SessionGuard, SessionsModule, SessionsTable } from '@app/sessions';
import { lookUpFailed } from '../../libs/sessions/src/guard/messages.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { describePlatforms, HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({}) {}

@Controller()
class Routes {
  @UseGuards(SessionGuard)
  @Get('me')
  me(): object {
    return {};
  }
}

describeDatabases('a database that cannot answer', (name) => {
  describePlatforms('as seen', (platform) => {
    let database: TestDatabase;
    let app: HttpApp;
    let token: string;
    beforeAll(async () => {
      database = await createDatabase(name);
      app = await HttpApp.start(platform, {
        imports: [
          TypeOrmModule.forRoot({ ...database.options, autoLoadEntities: true, synchronize: true }),
          SessionsModule.forRoot({ pruning: false }),
          SessionsModule.forFeature(Sessions),
        ],
        controllers: [Routes],
      });
      token = (await app.nest.get(Sessions).create({})).authToken;
    });
    afterAll(async () => {
      await app.close();
      await database.drop();
    });

    const rename = async (from: string, to: string): Promise<unknown> =>
      app.nest.get(DataSource).query(`ALTER TABLE ${from} RENAME TO ${to}`);

    it('is 503, neither 401 nor a pass nor 500, until it can again', async () => {
      expect((await app.getAs(token, '/me')).status).toBe(200);
      await rename('sessions', 'elsewhere');
      expect(await app.getAs(token, '/me')).toMatchObject({
        status: 503,
        challenges: [],
        body: { errorCode: 'ERR_SESSION_UNAVAILABLE' },
      });
      await rename('elsewhere', 'sessions');
      expect((await app.getAs(token, '/me')).status).toBe(200);
    });

    it('is logged with its cause, never with a token or a digest (ASVS 16.2.5)', () => {
      const secrets = [token, digestToken(token, { algorithm: 'sha256' })];
      expect(app.logs.matching(new RegExp(`^${lookUpFailed('.*sessions')}`))).toHaveLength(1);
      expect(app.logs.lines.filter(({ text }) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
    });
  });
});
