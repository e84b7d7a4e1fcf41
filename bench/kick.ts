/**
 * How long what is open outlives its session: from the return of `revoke` to the end at the client, with a thousand streams of
 * events open on PostgreSQL, where the same application revokes, and where another one does that it hears of by a channel. And
 * the statements of `revokeAll` that ends all of them.
 */
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, type DynamicModule, type INestApplication, Sse, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { NEVER, type Observable } from 'rxjs';
import type { DataSource, Logger } from 'typeorm';
import {
  LiveSessions,
  PostgresChannel,
  SessionGuard,
  SessionsModule,
  SessionsTable,
} from '../libs/sessions/src/index.js';
import { CleanUps } from './clean-ups.js';
import { connection, createDatabase, type Database } from './databases.js';

const OPEN = 1000;
const KICKS = 200;

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string', index: true } } }) {}

@UseGuards(SessionGuard)
@Controller()
class EventsController {
  @Sse('events')
  events(): Observable<string> {
    return NEVER;
  }
}

let statements = 0;
const counting = { logQuery: () => void statements++ } as Partial<Logger> as Logger;

async function application(database: Database): Promise<INestApplication> {
  const tables = TypeOrmModule.forRoot({
    ...connection(database),
    entities: [Sessions.entity],
    synchronize: true,
    logging: ['query'],
    logger: new Proxy(counting, { get: (target, name) => Reflect.get(target, name) ?? (() => undefined) }),
  });
  const root: DynamicModule = {
    module: class {},
    imports: [
      tables,
      SessionsModule.forRootAsync({
        inject: [getDataSourceToken()],
        useFactory: (source: DataSource) => ({ pruning: false, live: { channel: new PostgresChannel(source) } }),
      }),
      SessionsModule.forFeature(Sessions),
    ],
    controllers: [EventsController],
  };
  const app = await NestFactory.create(root, { logger: ['error'], forceCloseConnections: true });
  await app.listen(0, '127.0.0.1');
  return app;
}

interface Stream {
  readonly id: string;
  /** When it has ended, by the clock of the process. */
  readonly ended: Promise<number>;
}

/** Sessions, each with a stream. */
async function open(app: INestApplication, count: number, userId: string): Promise<Stream[]> {
  const agent = new Agent({ maxSockets: Infinity });
  const { port } = app.getHttpServer().address() as AddressInfo;
  const streams: Stream[] = [];
  for (let i = 0; i < count; i++) {
    const { id, authToken } = await app.get(Sessions).create({ userId });
    const request = get({
      host: '127.0.0.1',
      port,
      path: '/events',
      agent,
      headers: { authorization: `Bearer ${authToken}` },
    });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    streams.push({ id, ended: once(response, 'close').then(() => performance.now()) });
  }
  return streams;
}

function shown(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (percent: number): string => sorted[Math.ceil((sorted.length * percent) / 100) - 1]!.toFixed(1);
  return `median ${at(50)} ms, 99th percentile ${at(99)} ms, most ${at(100)} ms`;
}

const cleanUps = new CleanUps();
try {
  const database = await createDatabase('postgres', cleanUps, console.log);
  if (!database) process.exit(1);
  const [here, there] = [await application(database), await application(database)];
  console.log(`Node ${process.version}; PostgreSQL ${database.version}; ${OPEN} streams of events open on Express`);
  for (const [who, by] of [
    ['the same application', here],
    ['another one, by a channel', there],
  ] as const) {
    const streams = await open(here, OPEN, 'u1');
    const times: number[] = [];
    for (const { id, ended } of streams.slice(0, KICKS)) {
      await by.get(Sessions).revoke({ id });
      const returned = performance.now();
      times.push((await ended) - returned);
    }
    console.log(`${who.padEnd(28)}${shown(times)}`);
    statements = 0;
    await here.get(Sessions).revokeAll({ userId: 'u1' });
    await Promise.all(streams.map(({ ended }) => ended));
    console.log(
      `revokeAll of ${OPEN - KICKS}: ${statements} statements; ${here.get(LiveSessions).count()} held afterwards`,
    );
  }
  await Promise.all([here.close(), there.close()]);
} finally {
  await cleanUps.run();
}
process.exit();
