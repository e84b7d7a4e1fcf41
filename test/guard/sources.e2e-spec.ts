import { Controller, Get, type Type, UseGuards } from '@nestjs/common';
import type { Subscription } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CurrentSession,
  generateToken,
  MemoryAdapter,
  SessionEvents,
  SessionGuard,
  SessionsModule,
  SessionsService,
  SessionsTable,
  type SessionEvent,
} from '@app/sessions';
import { HttpApp } from '../support/http-app.js';

class People extends SessionsTable({ table: 'people', revocation: true }) {}
class Machines extends SessionsTable({ table: 'machines', credentials: [{ header: 'X-Machine' }] }) {}
class Robots extends SessionsTable({ table: 'robots', credentials: ['bearer', { header: 'X-Robot' }] }) {}
class Keys extends SessionsTable({ table: 'keys', tokenPrefix: 'key' }) {}

@Controller()
class Routes {
  @UseGuards(SessionGuard.for(People, Machines, Robots))
  @Get('any')
  any(@CurrentSession('id') id: string): string {
    return id;
  }

  @UseGuards(SessionGuard.for(People, Keys))
  @Get('both')
  both(@CurrentSession('id') id: string): string {
    return id;
  }

  @UseGuards(SessionGuard.for(Keys, People))
  @Get('either')
  either(@CurrentSession('id') id: string): string {
    return id;
  }
}

let http: HttpApp;
beforeAll(async () => {
  http = await HttpApp.start('express', {
    imports: [
      SessionsModule.forRoot({ adapter: new MemoryAdapter(), pruning: false, defaultTable: 'people' }),
      ...[People, Machines, Robots, Keys].map((table) => SessionsModule.forFeature(table)),
    ],
    controllers: [Routes],
  });
});
afterAll(() => http.close());

const begin = (table: Type<SessionsService>) => http.nest.get(table).create({});

describe('a guard of several tables that take their tokens from different places (ASVS 7.2.2)', () => {
  it.each([
    ['people', People, 'Authorization'],
    ['machines', Machines, 'X-Machine'],
    ['robots', Robots, 'X-Robot'],
    ['robots', Robots, 'Authorization'],
  ] as const)('takes a token of %s from where that table takes it', async (_, table, header) => {
    const { id, authToken } = await begin(table);
    const value = header === 'Authorization' ? `Bearer ${authToken}` : authToken;
    expect(await http.get('/any', { [header]: value })).toMatchObject({ status: 200, body: id });
  });

  it.each([
    ['people', People, 'X-Machine'],
    ['people', People, 'X-Robot'],
    ['machines', Machines, 'Authorization'],
    ['machines', Machines, 'X-Robot'],
    ['robots', Robots, 'X-Machine'],
  ] as const)('takes a token of %s from no place of another table', async (_, table, header) => {
    const { authToken } = await begin(table);
    const value = header === 'Authorization' ? `Bearer ${authToken}` : authToken;
    expect(await http.get('/any', { [header]: value })).toMatchObject({ status: 401 });
  });

  it.each([
    ['Authorization', 'X-Machine'],
    ['X-Machine', 'X-Robot'],
    ['Authorization', 'X-Robot'],
  ])('refuses tokens in %s and in %s at once (RFC 6750, 2)', async (one, other) => {
    const { authToken } = await begin(People);
    expect(await http.get('/any', { [one]: `Bearer ${authToken}`, [other]: authToken })).toMatchObject({ status: 400 });
  });
});

describe('what is told of a token that several tables refuse', () => {
  let told: SessionEvent[];
  let listening: Subscription;
  beforeEach(() => {
    told = [];
    listening = http.nest.get(SessionEvents).all.subscribe((event) => told.push(event));
  });
  afterEach(() => listening.unsubscribe());

  const refusals = (): string[] =>
    told.flatMap((event) => (event.type === 'refused' ? [`${event.table}: ${event.reason}`] : []));

  it.each(['/both', '/either'])('is what the table says that knows it, on %s', async (path) => {
    const session = await begin(People);
    await http.nest.get(People).revoke(session);
    expect(await http.getAs(session.authToken, path)).toMatchObject({ status: 401 });
    expect(refusals()).toEqual(['people: revoked']);
  });

  it.each(['/both', '/either'])('is what the table says whose token it could be, on %s', async (path) => {
    await http.getAs(generateToken({ prefix: 'key', length: 43 }), path);
    await http.getAs(generateToken({ length: 64 }), path);
    // Plain tables take any URL-safe text for a possible token, prefixed ones only their own.
    expect(refusals()).toEqual([path === '/both' ? 'people: unknown' : 'keys: unknown', 'people: unknown']);
  });

  it('is that of the first where it is a token of none', async () => {
    await http.getAs('?', '/either');
    expect(refusals()).toEqual(['keys: malformed']);
  });

  it('is nothing where the request is let through', async () => {
    const { authToken } = await http.nest.get(Keys).create({});
    expect(await http.getAs(authToken, '/both')).toMatchObject({ status: 200 });
    expect(told.map(({ type }) => type)).toEqual(['created', 'used']);
  });
});
