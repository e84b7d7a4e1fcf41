import { type Provider, type Type, UseGuards } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import type { Client } from 'graphql-ws';
import { afterEach, expect, it } from 'vitest';
import { CurrentSession, type SessionGuard } from '@app/sessions';
import { Sessions } from '../../guard/guarded-app.js';
import { BANS, GuardOfCall, OwnGuard } from '../own-guards.js';
import { answerOn, closingOf, describeDrivers, GraphqlApp, socketClient } from './graphql-app.js';

describeDrivers('a guard with dependencies of its own, for connections of GraphQL', (driver) => {
  let app: GraphqlApp;
  const clients: Client[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.dispose();
    await app.guarded.close();
  });

  async function start(guard: Type<SessionGuard>): Promise<void> {
    @UseGuards(guard)
    @Resolver()
    class Notes {
      @Query(() => String)
      me(@CurrentSession('userId') userId: string): string {
        return userId;
      }
    }
    const providers: Provider[] = [...BANS, guard, Notes];
    app = await GraphqlApp.start(driver, { tables: [Sessions], providers, sockets: { guard } });
  }

  async function clientOf(userId: string): Promise<Client> {
    const { authToken } = await app.guarded.get(Sessions).create({ userId });
    const client = socketClient(app, { params: { authorization: `Bearer ${authToken}` } });
    clients.push(client);
    return client;
  }

  it.each([
    ['made once', OwnGuard],
    ['made for each call', GuardOfCall],
  ])('%s, decides who is let in', async (_, guard) => {
    await start(guard);
    const logged = app.guarded.http.logs.lines.length;
    expect(await answerOn(await clientOf('ann'), '{ me }')).toEqual({ data: { me: 'ann' } });
    const eve = await clientOf('eve');
    const closing = closingOf(eve);
    await answerOn(eve, '{ me }').catch(() => undefined);
    expect(await closing()).toEqual([4403, 'BANNED']);
    expect(app.guarded.http.logs.lines.slice(logged)).toEqual([]);
  });
});
