import { EventEmitter, once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage, type Server } from 'node:http';
import { Controller, Get, Sse, UseGuards } from '@nestjs/common';
import autocannon from 'autocannon';
import { defer, finalize, NEVER, type Observable, startWith, Subject } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveSessions, OptionalSession, SessionGuard, type SessionOf, type WithToken } from '@app/sessions';
import { ApiKeys, GuardedApp, Sessions } from '../../guard/guarded-app.js';
import { UNTIL_IT_HANGS } from '../../support/until.js';

/** Streams whose producers run. */
let producers = 0;
const events = new Subject<string>();

function produced(): Observable<string> {
  return defer(() => {
    producers++;
    return events.pipe(
      startWith('first'),
      finalize(() => producers--),
    );
  });
}

/** Emits `looked-up` when a guard is about to look a session up, and `handled` when a handler runs. */
const requests = new EventEmitter();

/** Finds a session only once the client has left. */
class LeftGuard extends SessionGuard {
  protected override async authenticate(...args: Parameters<SessionGuard['authenticate']>) {
    const { socket } = args[1] as IncomingMessage;
    requests.emit('looked-up');
    await once(socket, 'close');
    return super.authenticate(...args);
  }
}

@UseGuards(SessionGuard)
@Controller()
class EventsController {
  @Sse('events')
  events(): Observable<string> {
    return produced();
  }

  @OptionalSession()
  @Sse('optional')
  optional(): Observable<string> {
    return produced();
  }

  @UseGuards(SessionGuard.for(Sessions, ApiKeys))
  @Sse('either')
  either(): Observable<string> {
    return produced();
  }

  @Sse('quiet')
  quiet(): Observable<string> {
    return NEVER;
  }

  @UseGuards(LeftGuard)
  @Sse('left')
  left(): Observable<string> {
    requests.emit('handled');
    return produced();
  }

  @Get('plain')
  plain(): string {
    return 'plain';
  }
}

/** How long a connection is kept that nothing comes by. */
const KEPT_MS = 100;

describe.each(['express', 'fastify'] as const)('a stream of events on %s', (platform) => {
  let app: GuardedApp;
  let session: WithToken<SessionOf<Sessions>>;
  beforeAll(async () => {
    app = await GuardedApp.start(platform, {
      controllers: [EventsController],
      options: { defaultTable: Sessions },
    });
    // Nest ends a producer when the connection is closed, which clients keep for their next request.
    (app.http.nest.getHttpServer() as Server).keepAliveTimeout = KEPT_MS;
  });
  afterAll(async () => {
    // A stream that a failed test has left open would wait for ever.
    (app.http.nest.getHttpServer() as Server).closeAllConnections();
    await app.close();
  });
  beforeEach(async () => {
    session = await app.get(Sessions).create({ userId: 'ann' });
  });

  const held = () => app.get(LiveSessions).count(Sessions);

  /** A stream that has had its first event. */
  async function open(path: string, token?: string): Promise<{ request: ClientRequest; response: IncomingMessage }> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const request = get({ host: '127.0.0.1', port: app.http.port, path, headers });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.setEncoding('utf8');
    if (path !== '/quiet') await once(response, 'data');
    return { request, response };
  }

  /** What is read until a stream ends; an error where it is broken off. */
  async function read(response: IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of response) text += chunk as string;
    return text;
  }

  it.each(['/events', '/optional', '/either', '/quiet'])(
    '%s ends with its session, and so does its producer',
    async (path) => {
      const { response } = await open(path, session.authToken);
      expect(held()).toBe(1);
      await app.get(Sessions).revoke(session);
      await expect(read(response)).resolves.not.toContain('error');
      await vi.waitFor(() => expect({ held: held(), producers }).toEqual({ held: 0, producers: 0 }), UNTIL_IT_HANGS);
    },
  );

  it('goes on for other sessions, and without one', async () => {
    const other = await app.get(Sessions).create({ userId: 'bob' });
    const open1 = [await open('/events', other.authToken), await open('/optional')];
    await app.get(Sessions).revoke(session);
    const next = open1.map(({ response }) => once(response, 'data'));
    events.next('second');
    for (const [chunk] of await Promise.all(next)) expect(chunk).toContain('second');
    for (const { request } of open1) request.destroy();
    await vi.waitFor(() => expect({ held: held(), producers }).toEqual({ held: 0, producers: 0 }), UNTIL_IT_HANGS);
  });

  it('ends with a session of whichever table it is of', async () => {
    const key = await app.get(ApiKeys).create({ projectId: 'p1' });
    const { response } = await open('/either', key.authToken);
    expect(app.get(LiveSessions).count(ApiKeys)).toBe(1);
    await app.get(ApiKeys).delete(key);
    await read(response);
    await vi.waitFor(() => expect(app.get(LiveSessions).count(ApiKeys)).toBe(0), UNTIL_IT_HANGS);
  });

  it('ends with two hundred others of a user, which autocannon has open, and each answer is whole', async () => {
    const STREAMS = 200;
    const made = Array.from({ length: STREAMS }, () => app.get(Sessions).create({ userId: 'cleo' }));
    const tokens = (await Promise.all(made)).map(({ authToken }) => authToken);
    // Each connection makes one request: autocannon counts an answer when it ends, and would ask again.
    const run = autocannon({
      url: `http://127.0.0.1:${app.http.port}/events`,
      connections: STREAMS,
      amount: STREAMS,
      timeout: UNTIL_IT_HANGS.timeout / 1000,
      setupClient: (client) => client.setHeaders({ authorization: `Bearer ${tokens.pop()}` }),
    });
    await vi.waitFor(
      () => expect({ held: held(), producers }).toEqual({ held: STREAMS, producers: STREAMS }),
      UNTIL_IT_HANGS,
    );
    expect(await app.get(Sessions).revokeAll({ userId: 'cleo' })).toBe(STREAMS);
    expect(await run).toMatchObject({ '2xx': STREAMS, non2xx: 0, errors: 0, timeouts: 0 });
    await vi.waitFor(() => expect({ held: held(), producers }).toEqual({ held: 0, producers: 0 }), UNTIL_IT_HANGS);
  });

  it('ends while its producer goes on writing, which nobody hears of', async () => {
    const { response } = await open('/events', session.authToken);
    const writing = setInterval(() => events.next('x'.repeat(10_000)), 0);
    await app.get(Sessions).revoke(session);
    await read(response);
    await vi.waitFor(() => expect(producers).toBe(0), UNTIL_IT_HANGS);
    clearInterval(writing);
    expect(app.http.logs.matching(/ERR_STREAM|write after end/)).toEqual([]);
  });

  it('holds nothing for a client that leaves during the look-up, and starts no producer', async () => {
    const [lookedUp, handled] = [once(requests, 'looked-up'), once(requests, 'handled')];
    const headers = { authorization: `Bearer ${session.authToken}` };
    const request = get({ host: '127.0.0.1', port: app.http.port, path: '/left', headers, agent: false });
    request.on('error', () => undefined);
    await lookedUp;
    request.destroy();
    await handled;
    // Nest subscribes, if it does, before an event of the network comes.
    await app.http.getAs(session.authToken, '/plain');
    expect({ held: held(), producers }).toEqual({ held: 0, producers: 0 });
  });

  it('holds nothing for requests that are answered, and for clients that leave at any moment', async () => {
    await app.http.getAs(session.authToken, '/plain');
    expect(held()).toBe(0);
    const headers = { authorization: `Bearer ${session.authToken}` };
    const left = Array.from({ length: 100 }, async (_, i) => {
      const request = get({ host: '127.0.0.1', port: app.http.port, path: '/events', headers, agent: false });
      request.on('error', () => undefined);
      const closed = new Promise((resolve) => void request.once('close', resolve));
      setTimeout(() => (i % 2 === 0 ? request.destroy() : request.socket?.resetAndDestroy()), i % 20);
      await closed;
    });
    await Promise.all(left);
    await vi.waitFor(() => expect({ held: held(), producers }).toEqual({ held: 0, producers: 0 }), UNTIL_IT_HANGS);
  });
});
