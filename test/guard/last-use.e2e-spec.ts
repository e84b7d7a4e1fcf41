import { Controller, Get, UseGuards } from '@nestjs/common';
import { SessionGuard, SessionsTable } from '@app/sessions';
import { SessionsTestingModule, SettableClock } from '@app/sessions/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describePlatforms, HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({ lastUse: { ip: true, userAgent: true } }) {}

@Controller()
class Routes {
  @UseGuards(SessionGuard)
  @Get('me')
  me(): object {
    return {};
  }
}

describePlatforms('the guard of a table that keeps the last use', (platform) => {
  const clock = new SettableClock(new Date('2026-03-01T12:00:00.000Z'));
  let http: HttpApp;
  beforeAll(async () => {
    http = await HttpApp.start(platform, {
      imports: [SessionsTestingModule.forTables([Sessions], { clock: clock.now })],
      controllers: [Routes],
    });
  });
  afterAll(() => http.close());

  it('notes the address and the user agent of the client', async () => {
    const { id, authToken } = await http.nest.get(Sessions).create({});
    await http.get('/me', { authorization: `Bearer ${authToken}`, 'user-agent': 'Phone' });
    await http.nest.get(SessionsRegistry, { strict: false }).store(Sessions).lastUse!.flush();
    expect(await http.nest.get(Sessions).get({ id })).toMatchObject({
      lastUsedAt: clock.now(),
      lastUsedIp: expect.stringContaining('127.0.0.1'),
      lastUsedUserAgent: 'Phone',
    });
  });
});
