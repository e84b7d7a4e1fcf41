import { APP_GUARD } from '@nestjs/core';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Client } from 'graphql-ws';
import { CurrentSession, Public, SessionGuard, SessionsTable } from '@app/sessions';
import { answerOn, describeDrivers, GraphqlApp, socketClient } from './graphql-app.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' } },
  credentials: ['bearer', 'cookie'],
  lastUse: { userAgent: true },
}) {}

async function* once(event: object): AsyncGenerator<object> {
  yield event;
}

@Resolver()
class NotesResolver {
  @Query(() => String)
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Subscription(() => String)
  added(@CurrentSession('userId') userId: string): AsyncGenerator<object> {
    return once({ added: `for ${userId}` });
  }

  @Public()
  @Subscription(() => String)
  ticks(@CurrentSession('userId') userId?: string): AsyncGenerator<object> {
    return once({ ticks: userId ?? 'nobody' });
  }
}

describeDrivers('the guard of operations on a socket', (driver) => {
  let app: GraphqlApp;
  let token: string;
  const clients: Client[] = [];
  beforeAll(async () => {
    app = await GraphqlApp.start(driver, {
      tables: [Sessions],
      options: { defaultTable: 'sessions' },
      providers: [NotesResolver, { provide: APP_GUARD, useClass: SessionGuard }],
      sockets: 'by operation',
    });
  });
  afterAll(() => app.guarded.close());
  beforeEach(async () => {
    ({ authToken: token } = await app.guarded.get(Sessions).create({ userId: 'ann' }));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.dispose();
  });

  const connect = (options: Parameters<typeof socketClient>[1]) => {
    const client = socketClient(app, options);
    clients.push(client);
    return client;
  };
  const errorOf = async (client: Client, query = 'subscription { added }') =>
    (await answerOn(client, query)).errors?.[0];
  const cookie = () => `__Host-session=${token}`;
  const own = () => ({ cookie: cookie(), origin: `http://127.0.0.1:${app.guarded.http.port}` });

  it('takes the token of connectionParams', async () => {
    const client = connect({ params: { authorization: `Bearer ${token}` } });
    expect(await answerOn(client, 'subscription { added }')).toEqual({ data: { added: 'for ann' } });
    expect(await answerOn(client, '{ me }')).toEqual({ data: { me: 'ann' } });
    expect(await answerOn(client, 'subscription { ticks }')).toEqual({ data: { ticks: 'nobody' } });
  });

  it('takes the header of the handshake, and the cookie of an own page', async () => {
    const byHeader = connect({ handshake: { authorization: `Bearer ${token}` } });
    expect(await answerOn(byHeader, 'subscription { added }')).toEqual({ data: { added: 'for ann' } });
    expect(await answerOn(connect({ handshake: own() }), 'subscription { added }')).toEqual({
      data: { added: 'for ann' },
    });
  });

  it('lets what is said explicitly win over the cookie that a browser sends anyway', async () => {
    const { authToken } = await app.guarded.get(Sessions).create({ userId: 'bob' });
    const client = connect({ params: { Authorization: `Bearer ${authToken}` }, handshake: own() });
    expect(await answerOn(client, '{ me }')).toEqual({ data: { me: 'bob' } });
  });

  it('refuses the cookie of another site’s page, whatever that page says', async () => {
    const handshake = { cookie: cookie(), origin: 'https://evil.example' };
    for (const params of [
      undefined,
      { 'sec-fetch-site': 'same-origin' },
      { headers: { 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1' } },
      { cookie: cookie(), 'sec-fetch-site': 'same-origin' },
      { method: 'GET', host: 'evil.example' },
    ])
      expect(await errorOf(connect({ handshake, ...(params && { params }) }))).toMatchObject({
        extensions: { code: 'FORBIDDEN', errorCode: 'ERR_SESSION_CROSS_ORIGIN' },
      });
  });

  it('refuses who has no token, and a token that no longer holds, and leaves the socket open', async () => {
    expect(await errorOf(connect({}))).toMatchObject({
      extensions: { code: 'UNAUTHENTICATED', errorCode: 'ERR_SESSION_REQUIRED', challenge: 'Bearer realm="api"' },
    });
    const client = connect({ params: { authorization: `Bearer ${token}` } });
    expect(await answerOn(client, '{ me }')).toEqual({ data: { me: 'ann' } });
    await app.guarded.get(Sessions).revokeAll({ userId: 'ann' });
    expect(await errorOf(client)).toMatchObject({ extensions: { errorCode: 'ERR_SESSION_TOKEN_INVALID' } });
    expect(await errorOf(client, '{ me }')).toMatchObject({ extensions: { errorCode: 'ERR_SESSION_TOKEN_INVALID' } });
    expect(await answerOn(client, 'subscription { ticks }')).toEqual({ data: { ticks: 'nobody' } });
  });

  it.each<[Record<string, unknown>]>([
    [{ authorization: 7 }],
    [{ authorization: [null] }],
    [{ constructor: 'x' }],
    [{ headers: 1 }],
  ])('is not confused by %j', async (params) => {
    expect(await errorOf(connect({ params }))).toMatchObject({ extensions: { errorCode: 'ERR_SESSION_REQUIRED' } });
  });
});
