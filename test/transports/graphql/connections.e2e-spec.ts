import { setImmediate } from 'node:timers/promises';
import { UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import type { Client } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Authoritative,
  CurrentSession,
  LiveSessions,
  Public,
  RequireScopes,
  SessionGuard,
  type SessionOf,
  SessionsConfigError,
  SessionsTable,
} from '@app/sessions';
import { SubscriptionSessions } from '@app/sessions/graphql';
import { NO_GUARD } from '../../../libs/sessions/src/graphql/messages.js';
import { describeDatabases } from '../../support/databases.js';
import { UNTIL_IT_HANGS } from '../../support/until.js';
import { answerOn, closingOf, describeDrivers, GraphqlApp, type GraphqlSetUp, socketClient } from './graphql-app.js';

class Table extends SessionsTable({
  extraFields: { userId: { type: 'string' } },
  scopes: ['write'],
  credentials: ['bearer', 'cookie'],
  sessionTtl: '1h',
  extendSessionStaleTime: '10m',
  rotation: true,
}) {}

class Sessions extends Table {
  /** What happens while a token that was looked up is on its way to who asked. */
  meanwhile: () => Promise<unknown> = async () => undefined;

  override async authenticate(...args: Parameters<Table['authenticate']>): Promise<SessionOf<Table> | null> {
    const session = await super.authenticate(...args);
    await this.meanwhile();
    return session;
  }
}

class ApiKeys extends SessionsTable({ table: 'api_keys', extraFields: { projectId: { type: 'string' } } }) {}

async function* endless(event: object): AsyncGenerator<object> {
  yield event;
  await new Promise(() => undefined);
}

@Resolver()
class NotesResolver {
  constructor(private readonly sessions: Sessions) {}

  @Query(() => String)
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Public()
  @Query(() => String)
  version(@CurrentSession('userId') userId?: string): string {
    return userId ?? 'nobody';
  }

  @RequireScopes('write')
  @Query(() => String)
  draft(): string {
    return 'a draft';
  }

  /** What it finds in the session, and has written there. */
  @Query(() => String)
  scribble(@CurrentSession() session: SessionOf<Table>): string {
    const { note = 'clean' } = session.data as { note?: string };
    Object.assign(session.data, { note: 'scribbled' });
    return note;
  }

  @Authoritative()
  @Query(() => String)
  balance(): string {
    return '1';
  }

  @UseGuards(SessionGuard.for(ApiKeys))
  @Query(() => String)
  project(): string {
    return 'a project';
  }

  @Mutation(() => String)
  async signOut(@CurrentSession('id') id: string): Promise<string> {
    await this.sessions.revokeAll({ id });
    return id;
  }

  @Mutation(() => String, { name: 'me' })
  meOfMutation(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Subscription(() => String)
  added(@CurrentSession('userId') userId: string): AsyncGenerator<object> {
    return endless({ added: userId });
  }
}

const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.dispose();
});

function connect(app: GraphqlApp, options: Parameters<typeof socketClient>[1]): Client {
  const client = socketClient(app, options);
  clients.push(client);
  return client;
}

/** By the token of a client, as it says it when it connects. */
const as = (authToken: string) => ({ params: { authorization: `Bearer ${authToken}` } });

async function start(driver: Parameters<typeof GraphqlApp.start>[0], setUp: Partial<GraphqlSetUp>) {
  return GraphqlApp.start(driver, {
    tables: [Sessions, ApiKeys],
    options: { defaultTable: 'sessions' },
    providers: [NotesResolver, { provide: APP_GUARD, useClass: SessionGuard }],
    sockets: {},
    ...setUp,
  });
}

/** How a client is closed that wants to ask something. */
async function refusalOf(app: GraphqlApp, options: Parameters<typeof socketClient>[1]) {
  const client = connect(app, options);
  const closing = closingOf(client);
  await answerOn(client, '{ version }').catch(() => undefined);
  return closing();
}

describeDrivers('a connection that is let in by its session', (driver) => {
  let app: GraphqlApp;
  let sessions: Sessions;
  let token: string;
  let id: string;
  beforeAll(async () => {
    app = await start(driver, {});
    sessions = app.guarded.get(Sessions);
  });
  afterAll(() => app.guarded.close());
  beforeEach(async () => {
    sessions.meanwhile = async () => undefined;
    ({ authToken: token, id } = await sessions.create({ userId: 'ann' }));
  });

  const held = () => app.guarded.get(LiveSessions).count(Sessions);
  const statementsOf = async (action: () => Promise<unknown>) => app.guarded.queries.countOf(action);
  const ask = async (client: Client, query: string) => answerOn(client, query);
  const errorOf = async (client: Client, query: string) => (await ask(client, query)).errors?.[0];
  const cookie = () => `__Host-session=${token}`;

  it('has the session for all that is asked on it, by one look-up', async () => {
    const client = connect(app, as(token));
    const statements = await statementsOf(async () => {
      expect(await ask(client, 'subscription { added }')).toEqual({ data: { added: 'ann' } });
      expect(await ask(client, '{ me version }')).toEqual({ data: { me: 'ann', version: 'nobody' } });
      expect(await ask(client, 'mutation { me }')).toEqual({ data: { me: 'ann' } });
    });
    expect(statements).toBe(1);
  });

  it('takes the header of the handshake, and the cookie of an own page, too', async () => {
    const origin = `http://127.0.0.1:${app.guarded.http.port}`;
    const handshakes: Record<string, string>[] = [
      { authorization: `Bearer ${token}` },
      { cookie: cookie(), origin },
      { cookie: cookie(), origin: 'https://behind.a.proxy', 'sec-fetch-site': 'same-origin' },
    ];
    for (const handshake of handshakes)
      expect(await ask(connect(app, { handshake }), '{ me }')).toEqual({ data: { me: 'ann' } });
  });

  it('is closed where it has no session: by 4401, so that its client signs in again, with the code of the refusal', async () => {
    const logged = app.guarded.http.logs.lines.length;
    expect(await refusalOf(app, {})).toEqual([4401, 'ERR_SESSION_REQUIRED']);
    expect(await refusalOf(app, as('x'.repeat(64)))).toEqual([4401, 'ERR_SESSION_TOKEN_INVALID']);
    await sessions.revokeAll({ userId: 'ann' });
    expect(await refusalOf(app, as(token))).toEqual([4401, 'ERR_SESSION_TOKEN_INVALID']);
    expect(await refusalOf(app, { params: { authorization: ['Bearer a', 'Bearer b'] } })).toEqual([
      4400,
      'ERR_SESSION_AMBIGUOUS',
    ]);
    expect(app.guarded.http.logs.lines.slice(logged)).toEqual([]);
  });

  it('is closed by 4403 where a page of another site has opened it, whatever that page says', async () => {
    const handshake = { cookie: cookie(), origin: 'https://evil.example' };
    for (const params of [undefined, { 'sec-fetch-site': 'same-origin', cookie: cookie() }])
      expect(await refusalOf(app, { handshake, ...(params && { params }) })).toEqual([
        4403,
        'ERR_SESSION_CROSS_ORIGIN',
      ]);
  });

  it('is closed by 1013 in an outage, so that its client tries again later; those that are open stay', async () => {
    const open = connect(app, as(token));
    expect(await ask(open, '{ me }')).toEqual({ data: { me: 'ann' } });
    sessions.meanwhile = () => Promise.reject(new Error('connection lost'));
    expect(await refusalOf(app, as(token))).toEqual([1013, 'ERR_SESSION_UNAVAILABLE']);
    expect(await ask(open, '{ me }')).toEqual({ data: { me: 'ann' } });
  });

  it('ends with its session, be it that nothing is asked on it (ASVS 7.4.1)', async () => {
    const client = connect(app, as(token));
    const closing = closingOf(client);
    const idle = new Promise((resolve) => client.on('connected', resolve));
    const pending = new Promise<void>((resolve) => {
      client.subscribe(
        { query: 'subscription { added }' },
        { next: () => undefined, error: () => resolve(), complete: () => resolve() },
      );
    });
    await idle;
    expect(held()).toBe(1);
    await sessions.revoke({ id });
    expect(await closing()).toEqual([4401, 'ERR_SESSION_ENDED']);
    await pending;
    expect(held()).toBe(0);
  });

  it('sees a change of its session, by one look-up more', async () => {
    const client = connect(app, as(token));
    expect(await errorOf(client, '{ draft }')).toMatchObject({ extensions: { errorCode: 'ERR_SESSION_SCOPE' } });
    await sessions.update({ id }, { scopes: ['write'] });
    const statements = await statementsOf(async () => {
      expect(await ask(client, '{ draft }')).toEqual({ data: { draft: 'a draft' } });
      expect(await ask(client, '{ draft me }')).toMatchObject({ data: { me: 'ann' } });
    });
    // With that by which it is seen that the session goes on.
    expect(statements).toBeLessThanOrEqual(2);
  });

  it('keeps nothing that was read before its session changed', async () => {
    sessions.meanwhile = async () => {
      sessions.meanwhile = async () => undefined;
      await sessions.update({ id }, { userId: 'bob' });
    };
    const client = connect(app, as(token));
    expect(await ask(client, '{ me }')).toEqual({ data: { me: 'bob' } });
    await sessions.update({ id }, { userId: 'carol' });
    expect(await ask(client, '{ me }')).toEqual({ data: { me: 'carol' } });
  });

  it('reads a session by its id: a token that was replaced long ago does not count as stolen', async () => {
    const client = connect(app, as(token));
    expect(await ask(client, '{ me }')).toEqual({ data: { me: 'ann' } });
    await sessions.rotate((await sessions.get({ id }))!);
    app.guarded.later(30 * 60_000);
    expect(await ask(client, '{ me }')).toEqual({ data: { me: 'ann' } });
    expect(await ask(client, '{ balance }')).toEqual({ data: { balance: '1' } });
  });

  it('gives each operation a session of its own', async () => {
    const client = connect(app, as(token));
    await ask(client, '{ me }');
    for (let i = 0; i < 2; i++) expect(await ask(client, '{ scribble }')).toEqual({ data: { scribble: 'clean' } });
  });

  it('asks the database where a field wants it to, and for the sessions of other tables', async () => {
    const client = connect(app, as(token));
    await ask(client, '{ me }');
    expect(await statementsOf(() => ask(client, '{ balance }'))).toBe(1);
    expect(await errorOf(client, '{ project }')).toMatchObject({
      extensions: { errorCode: 'ERR_SESSION_TOKEN_INVALID' },
    });
  });

  it('lets no later field of a mutation ride on a session that an earlier one has ended', async () => {
    const client = connect(app, as(token));
    await ask(client, '{ me }');
    const closing = closingOf(client);
    const answer = await answerOn(client, 'mutation { signOut me }').catch(() => undefined);
    // Its socket may be closed before it is answered.
    expect(answer?.data ?? null).toBeNull();
    expect(await closing()).toEqual([4401, 'ERR_SESSION_ENDED']);
  });

  it('is use of its session, which is extended', async () => {
    const client = connect(app, as(token));
    await ask(client, '{ me }');
    app.guarded.later(30 * 60_000);
    await ask(client, '{ me }');
    app.guarded.later(40 * 60_000);
    expect(await sessions.get({ id })).toMatchObject({ userId: 'ann' });
    expect(await ask(client, '{ me }')).toEqual({ data: { me: 'ann' } });
  });

  it('holds nothing where its client leaves while it is looked up, nor where its session ends then', async () => {
    let looked = false;
    sessions.meanwhile = async () => {
      looked = true;
      client.terminate();
    };
    const client = connect(app, as(token));
    client.subscribe({ query: '{ me }' }, { next: () => undefined, error: () => undefined, complete: () => undefined });
    await vi.waitUntil(() => looked, UNTIL_IT_HANGS);
    await vi.waitFor(() => expect(held()).toBe(0), UNTIL_IT_HANGS);
    sessions.meanwhile = () => sessions.revokeAll({ id });
    expect(await refusalOf(app, as(token))).toEqual([4401, 'ERR_SESSION_ENDED']);
    await setImmediate();
    expect(held()).toBe(0);
  });
});

describeDrivers('a connection for which no token is needed', (driver) => {
  it('is let in without one, for what is public; a token that does not hold is refused', async () => {
    const app = await start(driver, { sockets: { optional: true } });
    const client = connect(app, {});
    expect(await answerOn(client, '{ version }')).toEqual({ data: { version: 'nobody' } });
    expect((await answerOn(client, '{ me }')).errors).toMatchObject([
      { extensions: { errorCode: 'ERR_SESSION_REQUIRED' } },
    ]);
    expect(await refusalOf(app, as('x'.repeat(64)))).toEqual([4401, 'ERR_SESSION_TOKEN_INVALID']);
    await client.dispose();
    await app.guarded.close();
  });

  it('may be of another guard than the resolvers', async () => {
    const app = await start(driver, { sockets: { guard: SessionGuard.for(Sessions, ApiKeys) } });
    const { authToken } = await app.guarded.get(ApiKeys).create({ projectId: 'p1' });
    const client = connect(app, as(authToken));
    expect(await answerOn(client, '{ project }')).toEqual({ data: { project: 'a project' } });
    expect((await answerOn(client, '{ me }')).errors).toMatchObject([
      { extensions: { errorCode: 'ERR_SESSION_TOKEN_INVALID' } },
    ]);
    await client.dispose();
    await app.guarded.close();
  });
});

describeDatabases('a connection of GraphQL', (database) => {
  it('ends with its session, whichever way that ends (ASVS 7.4.1)', async () => {
    const app = await start('apollo on express', { database });
    const sessions = app.guarded.get(Sessions);
    const ends: ((id: string) => Promise<unknown>)[] = [
      (id) => sessions.revoke({ id }),
      (id) => sessions.deleteAll({ id }),
      (id) => sessions.expire({ id }),
    ];
    for (const end of ends) {
      const { id, authToken } = await sessions.create({ userId: 'ann' });
      const client = connect(app, as(authToken));
      const closing = closingOf(client);
      expect(await answerOn(client, 'subscription { added }')).toEqual({ data: { added: 'ann' } });
      await end(id);
      expect(await closing()).toEqual([4401, 'ERR_SESSION_ENDED']);
    }
    await app.guarded.close();
  });
});

describe('the options of connections', () => {
  it.each(['graphqlWs', 'mercurius'] as const)('of %s are checked', (name) => {
    const subscriptions = new SubscriptionSessions({} as never);
    expect(() => subscriptions[name]({ optionl: true } as never)).toThrow(SessionsConfigError);
    expect(() => subscriptions[name]({ guard: class {} } as never)).toThrow(`${name}: guard must be ${NO_GUARD}`);
  });
});
