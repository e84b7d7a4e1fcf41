import { Controller, Get, UseGuards } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryAdapter, SessionGuard, SessionMark, SessionsModule, SessionsTable } from '@app/sessions';
import { actingAs, SettableClock } from '../../libs/sessions/src/testing/index.js';
import { createDatabase, describeStorages, type TestDatabase } from '../support/databases.js';
import { HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({ table: 'timed_sessions', extraFields: { userId: { type: 'string' } } }) {}

@UseGuards(SessionGuard)
@Controller()
class Routes {
  @Get('me')
  me(): object {
    return {};
  }
}

const EIGHT_DAYS_MS = 8 * 86_400_000;

describe.each([
  ['the date', { toFake: ['Date' as const] }],
  ['everything that vitest fakes', undefined],
])('fake timers for %s', (_, faked) => {
  describeStorages('with sessions', (name) => {
    let database: TestDatabase | undefined;
    let app: HttpApp;
    beforeEach(async () => {
      database = name === 'memory' ? undefined : await createDatabase(name);
    });
    afterEach(async () => {
      vi.useRealTimers();
      await app.close();
      await database?.drop();
    });

    async function start(clock?: () => Date): Promise<void> {
      // TypeORM compares the types of columns with the Date of the time when it is initialised.
      if (!database) vi.useFakeTimers(faked);
      const storage = database
        ? [
            TypeOrmModule.forRoot({
              ...database.options,
              entities: [Sessions.entity, SessionMark],
              synchronize: true,
            }),
          ]
        : [];
      app = await HttpApp.start('express', {
        imports: [
          ...storage,
          SessionsModule.forRoot({ pruning: false, clock, ...(!database && { adapter: new MemoryAdapter() }) }),
          SessionsModule.forFeature(Sessions),
        ],
        controllers: [Routes],
      });
      if (database) vi.useFakeTimers(faked);
    }

    /** The statuses of requests that come together. */
    async function statusesOf(headers: Record<string, string>): Promise<Set<number>> {
      const answers = await Promise.all(Array.from({ length: 5 }, () => app.get('/me', headers)));
      return new Set(answers.map(({ status }) => status));
    }

    it('move the time of sessions, and hold up no call', async () => {
      await start();
      const headers = await actingAs(app.nest, Sessions, { userId: 'ann' });
      expect(await statusesOf(headers)).toEqual(new Set([200]));
      vi.setSystemTime(Date.now() + EIGHT_DAYS_MS);
      expect(await statusesOf(headers)).toEqual(new Set([401]));
    });

    it('hold up no calls that are made together', async () => {
      await start();
      const sessions = app.nest.get(Sessions);
      const created = await Promise.all(Array.from({ length: 20 }, async () => sessions.create({ userId: 'ann' })));
      const found = await Promise.all(created.map(async ({ authToken }) => sessions.authenticate(authToken)));
      expect(found.map((session) => session?.id)).toEqual(created.map(({ id }) => id));
      expect(await Promise.all(created.map(async ({ id }) => sessions.revoke({ id })))).not.toContain(false);
    });

    it('do not move a clock of ours', async () => {
      const clock = new SettableClock();
      await start(clock.now);
      const headers = await actingAs(app.nest, Sessions, { userId: 'ann' });
      vi.setSystemTime(Date.now() + EIGHT_DAYS_MS);
      expect(await statusesOf(headers)).toEqual(new Set([200]));
      clock.advance('8d');
      expect(await statusesOf(headers)).toEqual(new Set([401]));
    });
  });
});
