import { Controller, Get, Post, Req, UseGuards } from '@nestjs/common';
import { type ClientRequest, SessionGuard, SessionsTable } from '@app/sessions';
import { SessionsTestingModule, SettableClock } from '@app/sessions/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describePlatforms, HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({ lastUse: { ip: true, userAgent: true } }) {}

@Controller()
class Routes {
  constructor(private readonly sessions: Sessions) {}

  @UseGuards(SessionGuard)
  @Get('me')
  me(): object {
    return {};
  }

  @Post('login')
  async login(@Req() request: ClientRequest): Promise<object> {
    return this.sessions.signIn({}, { request });
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
      lastUsedIp: '127.0.0.1',
      lastUsedUserAgent: 'Phone',
    });
  });

  it('is one of sessions that have them from the sign-in on, whose requests are those of the platform', async () => {
    const { status, body } = await http.send('POST', '/login', { 'user-agent': 'Phone' });
    expect([status, body]).toMatchObject([201, { lastUsedIp: '127.0.0.1', lastUsedUserAgent: 'Phone' }]);
  });
});
