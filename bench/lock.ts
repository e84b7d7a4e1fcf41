/**
 * What a lock of the table of sessions does to a query on another table, at 500 look-ups a second: by this build, and by another
 * one beside it where there is one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import * as library from '../libs/sessions/src/index.js';
import { CleanUps } from './clean-ups.js';
import { connection, createDatabase, type Database, type DatabaseName } from './databases.js';

type Library = typeof library;

const LOOK_UPS_A_SECOND = 500;
const STEP_MS = 20;
const QUIET_MS = 5000;

const LOCK = {
  postgres: [['BEGIN', 'LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE'], 'ROLLBACK'],
  mariadb: [['LOCK TABLES sessions WRITE'], 'UNLOCK TABLES'],
} as const;

/** What came of the look-ups and the queries of a time, in milliseconds. */
interface Phase {
  readonly queries: number[];
  readonly lookUps: number[];
  found: number;
}

/** The value that so many percent of all do not exceed. */
function percentile(values: readonly number[], percent: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil((values.length * percent) / 100) - 1] ?? NaN;
}

async function timed<T>(call: () => Promise<T>, times: number[]): Promise<T> {
  const begin = performance.now();
  try {
    return await call();
  } finally {
    times.push(performance.now() - begin);
  }
}

function heapMb(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

async function measure(name: string, build: Library, database: Database, lockMs: number): Promise<void> {
  class Sessions extends build.SessionsTable({}) {}
  const root = {
    module: class {},
    imports: [
      TypeOrmModule.forRoot({ ...connection(database), entities: [Sessions.entity], synchronize: true }),
      build.SessionsModule.forRoot({ pruning: false }),
      build.SessionsModule.forFeature(Sessions),
    ],
  };
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
  const other = await new DataSource(connection(database)).initialize();
  const sessions = app.get(Sessions);
  const dataSource = app.get(DataSource);
  const tokens: string[] = [];
  for (let i = 0; i < 100; i++) tokens.push((await sessions.create({})).authToken);
  await dataSource.query('CREATE TABLE IF NOT EXISTS others (id INT PRIMARY KEY)');

  const load = async (phase: Phase, isOver: () => boolean): Promise<void> => {
    const asked: Promise<unknown>[] = [];
    for (let at = performance.now(); !isOver(); at += STEP_MS) {
      for (let i = 0; i < (LOOK_UPS_A_SECOND * STEP_MS) / 1000; i++) {
        const token = tokens[asked.length % tokens.length]!;
        const answered = timed(() => sessions.authenticate(token), phase.lookUps);
        asked.push(answered.then(() => phase.found++).catch(() => undefined));
      }
      asked.push(timed(() => dataSource.query('SELECT id FROM others'), phase.queries).catch(() => undefined));
      await pause(Math.max(0, at + STEP_MS - performance.now()));
    }
    await Promise.all(asked);
  };
  const after = (ms: number): (() => boolean) => {
    const end = performance.now() + ms;
    return () => performance.now() >= end;
  };
  const phase = (): Phase => ({ queries: [], lookUps: [], found: 0 });

  await load(phase(), after(1000));
  const [quiet, locked, afterwards] = [phase(), phase(), phase()];
  await load(quiet, after(QUIET_MS));
  const heap = heapMb();
  const runner = other.createQueryRunner();
  const [lock, unlock] = LOCK[database.name as keyof typeof LOCK];
  for (const statement of lock) await runner.query(statement);
  let isUnlocked = false;
  const loading = load(locked, () => isUnlocked);
  await pause(lockMs);
  const heapLocked = heapMb();
  await runner.query(unlock);
  const unlockedAt = performance.now();
  isUnlocked = true;
  for (let row = 0; row < 20; await pause(5)) {
    row = await sessions.authenticate(tokens[0]!).then(
      () => row + 1,
      () => 0,
    );
  }
  const normalMs = performance.now() - unlockedAt;
  await loading;
  await load(afterwards, after(QUIET_MS));
  const ms = (value: number): string => value.toFixed(1);
  const p95 = ({ queries }: Phase): number => percentile(queries, 95);
  console.log(
    [
      `${database.name}, ${name}: a query on another table, 95th percentile: quiet ${ms(p95(quiet))} ms,`,
      `locked ${ms(p95(locked))} ms (${ms(p95(locked) / p95(quiet))} times, at most ${ms(Math.max(...locked.queries))} ms),`,
      `afterwards ${ms(p95(afterwards))} ms; look-ups while locked: ${locked.lookUps.length}, of which ${locked.found} found,`,
      `answered after ${ms(Math.max(...locked.lookUps))} ms at the most; normal ${ms(normalMs)} ms after the lock;`,
      `heap ${ms(heapLocked - heap)} MB more`,
    ].join(' '),
  );
  await runner.release();
  await other.destroy();
  await app.close();
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '30' }, only: { type: 'string', default: 'postgres,mariadb' } },
});
const builds: [string, Library][] = [['now', library]];
const [checkout] = positionals;
if (checkout !== undefined)
  builds.push(['before', (await import(pathToFileURL(`${checkout}/libs/sessions/dist/index.js`).href)) as Library]);
const cleanUps = new CleanUps();
try {
  for (const name of values.only.split(',') as DatabaseName[]) {
    for (const [title, build] of builds) {
      const database = await createDatabase(name, cleanUps, console.log);
      if (database) await measure(title, build, database, Number(values.seconds) * 1000);
    }
  }
} finally {
  for (const error of await cleanUps.run()) console.error(error);
}
process.exit();
