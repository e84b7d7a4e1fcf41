import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CurrentSession, LiveSessions, SessionGuard } from '@app/sessions';
import { GuardedApp, Sessions } from '../guard/guarded-app.js';

@UseGuards(SessionGuard)
@Controller()
class Routes {
  @Get('me')
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }
}

let app: GuardedApp;
beforeAll(async () => {
  app = await GuardedApp.start('express', { tables: [Sessions], controllers: [Routes] });
});
afterAll(() => app.close());

/** The statements of a function, without the columns that they read or write. */
async function statementsOf(fn: () => Promise<unknown>): Promise<string[]> {
  const before = app.queries.statements.length;
  await fn();
  return app.queries.statements
    .slice(before)
    .map((text) => text.replace(/^SELECT .*? FROM/, 'SELECT … FROM').replace(/ SET .*$/, ' …'));
}

it('a request of HTTP, and a revocation, have the statements that they had before anything could be held', async () => {
  const { id, authToken } = await app.get(Sessions).create({ userId: 'ann' });
  expect(app.http.nest.get(LiveSessions).count()).toBe(0);
  const statements = {
    'a valid token': await statementsOf(() => app.http.getAs(authToken, '/me')),
    'an unknown token': await statementsOf(() => app.http.getAs('x'.repeat(64), '/me')),
    'no token': await statementsOf(() => app.http.get('/me')),
    'a revocation': await statementsOf(() => app.get(Sessions).revoke({ id })),
  };
  const lookUp = 'SELECT … FROM "sessions" "t" WHERE "t"."authTokenDigest" = unhex(?)';
  expect(statements).toEqual({
    'a valid token': [lookUp],
    'an unknown token': [lookUp],
    'no token': [],
    'a revocation': ['UPDATE "sessions" …'],
  });
});
