import { Controller, Get, UseGuards } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSessionsTable, CurrentSession, SessionMark, SessionsModule } from '@app/sessions';
import { columnMissing } from '../../libs/sessions/src/table/checks/messages.js';
import { TestApplication } from '../support/application.js';
import { DAY } from '../support/clock.js';
import { createDatabase, describeDatabases, runStatements, type TestDatabase } from '../support/databases.js';
import { HttpApp } from '../support/http-app.js';
import { FormerCookieGuard, UserSessions } from '../tables/made-by/former-sessions.js';
import { NOT_OPENED } from '../tables/made-by/index.js';
import { KnoxGuard } from '../tables/made-by/knox.js';
import { insert } from '../tables/made-by/made-by.js';
import { type Copied, copyStatements, type NotOpened } from '../tables/made-by/not-opened.js';
import { read } from './documents.js';

const PAGE = read('docs/existing-tables.md');
const COPIED = NOT_OPENED.filter((made): made is NotOpened & { copied: Copied } => made.copied !== undefined);

@UseGuards(FormerCookieGuard)
@Controller()
class Me {
  @Get('me')
  me(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @UseGuards(KnoxGuard)
  @Get('token')
  token(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

describe('the page of existing tables', () => {
  it('has the statement that copies, and what stands in it for each tool', () => {
    const [zone, statement] = copyStatements('postgres', COPIED[1]!.copied.from);
    expect(PAGE).toContain(`${zone};\n${statement};\n`);
    for (const { tool, copied } of COPIED) {
      const { from, cookie } = copied;
      const sent = cookie === undefined ? '`Authorization: Token …`' : `the cookie \`${cookie}\``;
      const cells = [tool, ...Object.values(from).map((text) => `\`${text}\``), sent];
      expect(PAGE.replaceAll(/ +\|/g, ' |')).toContain(`| ${cells.join(' | ')} |`);
    }
  });

  it.each(NOT_OPENED)('says that $tool does not open', ({ tool }) => {
    const refused = PAGE.slice(PAGE.indexOf('Startup refuses'), PAGE.indexOf('Each definition'));
    // In the first cell of a row, between the others of it: "Django" is not "Django REST framework".
    expect(refused).toMatch(new RegExp(`^\\| (?:[^|]*, )?${tool.replaceAll('.', '\\.')}(?:,|'s \`| +\\|)`, 'm'));
  });
});

describeDatabases('tables of other tools that do not open', (name) => {
  it.each(NOT_OPENED.filter(({ statements }) => statements[name]))(
    'that of $tool is refused at the start',
    async ({ table, statements, missing }) => {
      const app = new TestApplication(name, {
        tables: [table],
        synchronize: false,
        prepare: ({ options }) => runStatements(options, statements[name]!),
      });
      const problem = await app.start().then(
        () => 'none',
        (error: Error) => error.message,
      );
      await app.stop();
      for (const column of missing) expect(problem).toContain(columnMissing(column));
    },
  );

  if (name === 'sqlite') return;
  describe.each(COPIED.filter(({ statements }) => statements[name]))('$tool', ({ statements, copied }) => {
    const { cookie, from, signIn } = copied;
    // Some tables have whole seconds.
    const expiresAt = new Date(Math.floor(Date.now() / 1000) * 1000 + 7 * DAY);
    const signedIn = signIn({ now: new Date(), expiresAt });
    let database: TestDatabase;
    let app: HttpApp;
    beforeAll(async () => {
      database = await createDatabase(name);
      const { options } = database;
      await runStatements(options, statements[name]!, async (dataSource) => {
        await insert(dataSource, { tablePath: from.table.replaceAll('"', '') }, signedIn);
        const runner = dataSource.createQueryRunner();
        await createSessionsTable(runner, UserSessions);
        for (const statement of copyStatements(name, from)) await runner.query(statement);
        await runner.release();
      });
      app = await HttpApp.start('express', {
        imports: [
          TypeOrmModule.forRoot({ ...options, entities: [UserSessions.entity, SessionMark], retryAttempts: 1 }),
          SessionsModule.forRoot({
            pruning: false,
            tables: { user_sessions: { cookie: { name: cookie ?? 'session' } } },
          }),
          SessionsModule.forFeature(UserSessions),
        ],
        controllers: [Me],
      });
    });
    afterAll(async () => {
      await app.close();
      await database.drop();
    });

    it('is copied, and lets in whom it has signed in by what they have', async () => {
      const [path, headers] =
        cookie === undefined
          ? ['/token', { Authorization: `Token ${signedIn.sent}` }]
          : ['/me', { Cookie: `a=b; ${cookie}=${signedIn.sent}` }];
      const userId = cookie === undefined ? '7' : 'ann';
      expect(await app.get(path, headers)).toMatchObject({ status: 200, body: { userId } });
      const sessions = app.nest.get(UserSessions);
      const [session] = await sessions.list({ userId });
      expect(session!.expiresAt).toEqual(from.end === 'null' ? null : expiresAt);
      expect(await sessions.revoke(session!)).toBe(true);
      expect(await app.get(path, headers)).toMatchObject({ status: 401 });
    });

    it('is copied with a session for new tokens too', async () => {
      const { authToken } = await app.nest.get(UserSessions).create({ userId: 'bob' });
      expect(await app.get('/me', { Cookie: `${cookie ?? 'session'}=${authToken}` })).toMatchObject({
        body: { userId: 'bob' },
      });
      expect(await app.getAs(authToken, '/me')).toMatchObject({ body: { userId: 'bob' } });
    });
  });
});
