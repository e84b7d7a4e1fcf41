import { get, type Server } from 'node:http';
import { Controller, Sse, UseGuards } from '@nestjs/common';
import { defer, finalize, NEVER, type Observable } from 'rxjs';
import { describe } from 'vitest';
import { LiveSessions, SessionGuard } from '@app/sessions';
import { GuardedApp, Sessions } from '../../guard/guarded-app.js';
import { describeRaces, type Opening } from './races.js';

/** Streams whose producers run. */
let producers = 0;

@UseGuards(SessionGuard)
@Controller()
class EventsController {
  // A producer begins when it is subscribed to, which Nest spares for clients that have left.
  @Sse('events')
  events(): Observable<string> {
    return defer(() => {
      producers++;
      return NEVER.pipe(finalize(() => producers--));
    });
  }
}

/** A stream, read to its end. */
function open(port: number, token: string): Opening {
  const headers = { authorization: `Bearer ${token}` };
  const request = get({ host: '127.0.0.1', port, path: '/events', headers, agent: false });
  request.on('error', () => undefined);
  request.on('response', (response) => response.on('error', () => undefined).resume());
  return {
    connection: new Promise((resolve) => {
      request.once('socket', (connection) => connection.once('connect', () => resolve(connection)));
    }),
    ended: new Promise<void>((resolve) => request.once('close', resolve)),
    close: () => request.destroy(),
  };
}

describe.each(['express', 'fastify'] as const)('streams of events on %s', (platform) =>
  describeRaces(async (database) => {
    const app = await GuardedApp.start(platform, {
      database,
      controllers: [EventsController],
      tables: [Sessions],
    });
    producers = 0;
    const server = app.http.nest.getHttpServer() as Server;
    return {
      signIn: async () => app.get(Sessions).create({ userId: 'ann' }),
      revoke: async (id) => app.get(Sessions).revoke({ id }),
      open: (token) => open(app.http.port, token),
      atWork: () => app.get(LiveSessions).count(Sessions) + producers,
      async close() {
        // A stream that a failed test has left open would wait for ever.
        server.closeAllConnections();
        await app.close();
      },
    };
  }),
);
