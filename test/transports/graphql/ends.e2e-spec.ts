import { APP_GUARD } from '@nestjs/core';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { CurrentSession, LiveSessions, Public, SessionGuard, SessionsTable } from '@app/sessions';
import { UNTIL_IT_HANGS } from '../../support/until.js';
import { answerOn, describeDrivers, GraphqlApp, socketClient } from './graphql-app.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}

async function* endless(event: object): AsyncGenerator<object> {
  yield event;
  await new Promise(() => undefined);
}

@Resolver()
class NotesResolver {
  @Query(() => String)
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Subscription(() => String)
  added(@CurrentSession('userId') userId: string): AsyncGenerator<object> {
    return endless({ added: userId });
  }

  @Public()
  @Subscription(() => String)
  ticks(): AsyncGenerator<object> {
    return endless({ ticks: 'tick' });
  }
}

describeDrivers('a subscription', (driver) => {
  let app: GraphqlApp;
  beforeAll(async () => {
    app = await GraphqlApp.start(driver, {
      tables: [Sessions],
      options: { defaultTable: 'sessions' },
      providers: [NotesResolver, { provide: APP_GUARD, useClass: SessionGuard }],
      sockets: 'by operation',
    });
  });
  afterAll(() => app.guarded.close());

  const held = () => app.guarded.get(LiveSessions).count(Sessions);

  /** A client with subscriptions that have had their first event, and the code by which it is closed. */
  async function subscribe(token: string | undefined, query: string, times = 1) {
    const closed = vi.fn<(code: number) => void>();
    const client = socketClient(app, token === undefined ? {} : { params: { authorization: `Bearer ${token}` } });
    client.on('closed', (event) => closed((event as { readonly code: number }).code));
    for (let i = 0; i < times; i++) {
      await new Promise((resolve) => {
        client.subscribe({ query }, { next: resolve, error: () => undefined, complete: () => undefined });
      });
    }
    return { client, closed };
  }

  it('ends with its session: the socket is closed, so that the client signs in again', async () => {
    const sessions = app.guarded.get(Sessions);
    const [ann, bob] = [await sessions.create({ userId: 'ann' }), await sessions.create({ userId: 'bob' })];
    const one = await subscribe(ann.authToken, 'subscription { added }', 12);
    const other = await subscribe(bob.authToken, 'subscription { added }');
    const nobody = await subscribe(undefined, 'subscription { ticks }');
    expect(held()).toBe(2);
    await sessions.revoke(ann);
    await vi.waitFor(() => expect(one.closed).toHaveBeenCalledWith(4401), UNTIL_IT_HANGS);
    expect(other.closed).not.toHaveBeenCalled();
    expect(nobody.closed).not.toHaveBeenCalled();
    await other.client.dispose();
    await nobody.client.dispose();
    await vi.waitFor(() => expect(held()).toBe(0), UNTIL_IT_HANGS);
  });

  it('is what holds a socket, and no single answer', async () => {
    const { authToken } = await app.guarded.get(Sessions).create({ userId: 'ann' });
    const client = socketClient(app, { params: { authorization: `Bearer ${authToken}` } });
    expect(await answerOn(client, '{ me }')).toEqual({ data: { me: 'ann' } });
    expect(held()).toBe(0);
    await client.dispose();
  });
});
