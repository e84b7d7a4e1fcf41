import { Controller, ForbiddenException, Get, UseGuards } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CurrentSession, SessionGuard, SessionsModule, SessionsTable } from '@app/sessions';
import { lookUpFailed } from '../../libs/sessions/src/guard/messages.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { describePlatforms, HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string' },
    phone: {
      type: 'string',
      nullable: true,
      transformer: {
        to: (text: string | null) => text && `v1:${text}`,
        from: (stored: string | null) => {
          if (stored?.startsWith('v1:') === false) throw new ForbiddenException('no key for it');
          return stored && stored.slice(3);
        },
      },
    },
  },
}) {}

@Controller()
class Routes {
  @UseGuards(SessionGuard)
  @Get('me')
  me(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

describeDatabases('a row that cannot be read', (name) => {
  describePlatforms('as seen', (platform) => {
    let database: TestDatabase;
    let app: HttpApp;
    let tokens: string[];
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
      const users = Array.from({ length: 30 }, (_, i) =>
        app.nest.get(Sessions).create({ userId: `u${i}`, phone: '1' }),
      );
      tokens = (await Promise.all(users)).map(({ authToken }) => authToken);
      const { driver } = app.nest.get(DataSource);
      const [table, phone, userId] = ['sessions', 'phone', 'userId'].map((it) => driver.escape(it));
      await app.nest.get(DataSource).query(`UPDATE ${table} SET ${phone} = 'old' WHERE ${userId} = 'u7'`);
    });
    afterAll(async () => {
      await app.close();
      await database.drop();
    });

    it('is an error of the request that has it, 500 and no outage, and refuses nobody else', async () => {
      const answers = await Promise.all(tokens.map((token) => app.getAs(token, '/me')));
      expect(answers.map(({ status }) => status)).toEqual(tokens.map((_, i) => (i === 7 ? 500 : 200)));
      expect(answers[7]).toMatchObject({ challenges: [], body: { message: 'Internal server error' } });
      expect(app.logs.matching(lookUpFailed(''))).toEqual([]);
    });

    it('is logged with its table, column and id, and without its value', () => {
      expect(
        app.logs.matching(/"sessions": phone of the row with id [0-9a-f-]{36} cannot be read: no key for it/),
      ).not.toEqual([]);
      expect(app.logs.lines.filter(({ text }) => text.includes('old'))).toEqual([]);
    });
  });
});
