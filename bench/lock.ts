/**
 * What a lock of the table of sessions does to the rest of an application, at 500 look-ups a second: a query on another table by
 * its 95th percentile, the memory, the answers, and the end of the application while the table is locked. Fails where one of
 * them is beyond what the library promises.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { SessionsModule, SessionsTable } from '../libs/sessions/src/index.js';
import { CleanUps } from './clean-ups.js';
import { connection, createDatabase, type Database, DATABASES, type DatabaseName } from './databases.js';

class Sessions extends SessionsTable({ rotation: true, lastUse: true }) {}

const LOOK_UPS_A_SECOND = 500;
const STEP_MS = 20;
/** That are under way as the application ends, beside look-ups: more than there are connections. */
const SIGN_INS = 20;
const QUIET_MS = 5000;
/** What a query on SQLite may take: it runs in this process, so it takes as long as anything here holds the event loop. */
const LOOP_MS = 50;
/** That of look-ups, and on SQLite of all that waits for the file. */
const TIMEOUT_MS = 5000;

/** What keeps everybody from the table, and ends that. SQLite locks files; another connection is what another process is. */
const LOCK = {
  postgres: [['BEGIN', 'LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE'], 'ROLLBACK'],
  mariadb: [['LOCK TABLES sessions WRITE'], 'UNLOCK TABLES'],
  sqlite: [['BEGIN EXCLUSIVE'], 'ROLLBACK'],
} as const;

/** By which a server that has gone is not waited for. */
const CONNECTION_TIMEOUTS = {
  postgres: { extra: { connectionTimeoutMillis: 2000 } },
  mariadb: { connectTimeout: 2000 },
  sqlite: {},
} as const;

/** How long the queries and look-ups of a time took, in milliseconds, and how many look-ups found their session. */
class Phase {
  readonly queries: number[] = [];
  readonly lookUps: number[] = [];
  found = 0;

  get p95(): number {
    return this.queries.toSorted((a, b) => a - b)[Math.ceil(this.queries.length * 0.95) - 1] ?? NaN;
  }
}

async function timed<T>(call: () => Promise<T>, times: number[] = []): Promise<number> {
  const begin = performance.now();
  await call().finally(() => times.push(performance.now() - begin));
  return performance.now() - begin;
}

function heapMb(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

function start(database: Database): Promise<INestApplicationContext> {
  const root = {
    module: class {},
    imports: [
      TypeOrmModule.forRoot({
        ...connection(database),
        ...CONNECTION_TIMEOUTS[database.name],
        entities: [Sessions.entity],
        synchronize: true,
      }),
      SessionsModule.forRoot({ pruning: false, lookUps: { timeout: TIMEOUT_MS / 1000 } }),
      SessionsModule.forFeature(Sessions),
    ],
  };
  return NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
}

/** The other table: on SQLite in another file, for its lock is one of all tables of a file. */
async function othersOf(database: Database, app: INestApplicationContext): Promise<DataSource> {
  if (database.name !== 'sqlite') return app.get(DataSource);
  return new DataSource({ type: 'better-sqlite3', database: `${database.url}-others` }).initialize();
}

/** Who locks the table. */
class Locker {
  private constructor(
    private readonly dataSource: DataSource,
    private readonly statements: (typeof LOCK)[DatabaseName],
  ) {}

  static async of(database: Database): Promise<Locker> {
    return new Locker(await new DataSource(connection(database)).initialize(), LOCK[database.name]);
  }

  /** @returns what ends the lock */
  async lock(): Promise<() => Promise<void>> {
    const [lock, unlock] = this.statements;
    const runner = this.dataSource.createQueryRunner();
    for (const statement of lock) await runner.query(statement);
    return async () => {
      await runner.query(unlock);
      await runner.release();
    };
  }

  async end(): Promise<void> {
    await this.dataSource.destroy();
  }
}

/** 500 look-ups a second and 50 queries on the other table, until it is over; resolves when all are answered. */
async function load(
  sessions: Sessions,
  others: DataSource,
  tokens: readonly string[],
  phase: Phase,
  isOver: () => boolean,
): Promise<void> {
  const asked = new Set<Promise<unknown>>();
  const ask = (call: Promise<unknown>): void => {
    const answered: Promise<unknown> = call.catch(() => undefined).finally(() => asked.delete(answered));
    asked.add(answered);
  };
  let count = 0;
  for (let at = performance.now(); !isOver(); at += STEP_MS) {
    for (let i = 0; i < (LOOK_UPS_A_SECOND * STEP_MS) / 1000; i++) {
      const token = tokens[count++ % tokens.length]!;
      ask(timed(() => sessions.authenticate(token), phase.lookUps).then(() => phase.found++));
    }
    ask(timed(() => others.query('SELECT id FROM others'), phase.queries));
    await pause(Math.max(0, at + STEP_MS - performance.now()));
  }
  await Promise.all(asked);
}

function after(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() >= end;
}

/** How long until twenty look-ups in a row find their session, in milliseconds. */
async function untilNormal(sessions: Sessions, token: string): Promise<number> {
  const begin = performance.now();
  for (let row = 0; row < 20; await pause(5)) {
    row = await sessions.authenticate(token).then(
      () => row + 1,
      () => 0,
    );
  }
  return performance.now() - begin;
}

/** What is measured, and how much it may be. */
interface Figure {
  readonly what: string;
  readonly value: number;
  readonly most?: number;
  readonly unit: string;
}

async function measure(database: Database, lockMs: number): Promise<Figure[]> {
  const app = await start(database);
  const others = await othersOf(database, app);
  const locker = await Locker.of(database);
  const sessions = app.get(Sessions);
  const tokens: string[] = [];
  for (let i = 0; i < 100; i++) tokens.push((await sessions.create({})).authToken);
  await others.query('CREATE TABLE IF NOT EXISTS others (id INT PRIMARY KEY)');
  const run = (phase: Phase, isOver: () => boolean): Promise<void> => load(sessions, others, tokens, phase, isOver);

  await run(new Phase(), after(1000));
  const [quiet, locked, afterwards] = [new Phase(), new Phase(), new Phase()];
  await run(quiet, after(QUIET_MS));
  const heap = heapMb();
  let unlock = await locker.lock();
  let isUnlocked = false;
  const loading = run(locked, () => isUnlocked);
  await pause(lockMs);
  const heapLocked = heapMb();
  await unlock();
  const normalMs = await untilNormal(sessions, tokens[0]!);
  isUnlocked = true;
  await loading;
  await run(afterwards, after(QUIET_MS));

  unlock = await locker.lock();
  const last = run(new Phase(), after(1000));
  const signIns = Promise.allSettled(Array.from({ length: SIGN_INS }, () => sessions.create({})));
  await pause(500);
  const closeMs = await timed(() => app.close());
  await Promise.all([last, signIns]);
  await unlock();
  await locker.end();
  if (database.name === 'sqlite') await others.destroy();
  const most = database.name === 'sqlite' ? LOOP_MS : 3 * quiet.p95;
  return [
    { what: 'a query on another table, quiet', value: quiet.p95, unit: 'ms' },
    { what: 'while the table is locked', value: locked.p95, most, unit: 'ms' },
    { what: 'afterwards', value: afterwards.p95, unit: 'ms' },
    { what: 'the longest query while it is locked', value: Math.max(...locked.queries), unit: 'ms' },
    {
      what: `the longest of ${locked.lookUps.length} look-ups`,
      value: Math.max(...locked.lookUps),
      most: TIMEOUT_MS + 500,
      unit: 'ms',
    },
    { what: 'normal after the lock', value: normalMs, most: 500, unit: 'ms' },
    { what: 'heap after a collection, more', value: heapLocked - heap, most: 20, unit: 'MB' },
    { what: 'the end of the application during a lock', value: closeMs, most: 5000, unit: 'ms' },
  ];
}

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, only: { type: 'string', default: DATABASES.join() } },
});
const cleanUps = new CleanUps();
let isKept = true;
try {
  for (const name of values.only.split(',') as DatabaseName[]) {
    const database = await createDatabase(name, cleanUps, console.log);
    if (!database) continue;
    for (const { what, value, most = Infinity, unit } of await measure(database, Number(values.seconds) * 1000)) {
      const isWithin = value <= most;
      isKept &&= isWithin;
      const limit = most === Infinity ? '' : `, at most ${most.toFixed(1)} ${unit}${isWithin ? '' : ': NOT KEPT'}`;
      console.log(`${name}: ${what}: ${value.toFixed(1)} ${unit}${limit}`);
    }
  }
} finally {
  for (const error of await cleanUps.run()) console.error(error);
}
process.exit(isKept ? 0 : 1);
