import type { Bench } from '../bench.js';
import {
  driverWriter,
  makeWritten,
  type OwnWriter,
  ownWriter,
  type Write,
  type Writer,
  WRITES,
} from '../contenders/writers.js';
import type { Database, DatabaseName } from '../databases.js';
import { type Entrant, inRounds, warmUp } from '../measure.js';
import { CONTROL, type Group, type Result, type Turn } from '../results.js';
import { DATABASE_TITLES, titleAt } from './validation.js';

/** Writes of a second of a turn: the rows that they change are made before. */
const PER_SECOND = 4000;

const LIMIT: Readonly<Record<DatabaseName, string>> = {
  postgres: 'pg, named statement',
  mariadb: 'mysql2, execute',
  sqlite: 'better-sqlite3, prepared run',
};

/** A way to write, before it is opened. */
export interface WriterEntry {
  readonly name: string;
  readonly own?: boolean;
  open(database: Database): Promise<Writer>;
}

export function writesTitle(name: DatabaseName, write: Write, atOnce: number): string {
  return titleAt(`${DATABASE_TITLES[name]}, ${write}`, atOnce);
}

/** The writes of the service against a driver's kept statements, on every database that there is. */
export async function writesSection(bench: Bench): Promise<Group[]> {
  const groups: Group[] = [];
  for (const name of ['postgres', 'mariadb', 'sqlite'] as const) {
    groups.push(
      ...(await compareWrites(bench, name, [
        { name: LIMIT[name], open: driverWriter },
        { name: 'nest-sessions', own: true, open: ownWriter },
      ])),
    );
  }
  return groups;
}

/** Writes by the baseline, which is the first one, and by others, so many at once. */
export async function compareWrites(
  bench: Bench,
  name: DatabaseName,
  entries: readonly [WriterEntry, ...WriterEntry[]],
): Promise<Group[]> {
  const dataset = await bench.dataset(name);
  if (!dataset) return [];
  await makeWritten(dataset);
  const { rounds, seconds, atOnce: levels } = bench.options;
  const maker = await ownWriter(dataset.database);
  const writers: { readonly entry: WriterEntry; readonly writer: Writer }[] = [];
  try {
    for (const entry of entries) writers.push({ entry, writer: await entry.open(dataset.database) });
    const [baseline] = writers as [(typeof writers)[0]];
    const control = { entry: { ...baseline.entry, name: baseline.entry.name + CONTROL }, writer: baseline.writer };
    const groups: Group[] = [];
    for (const write of WRITES) {
      for (const atOnce of levels) {
        const title = writesTitle(name, write, atOnce);
        const count = Math.max(atOnce, Math.ceil(seconds * PER_SECOND));
        const entrants = [baseline, control, ...writers.slice(1)].map(({ entry, writer }): Entrant => ({
          name: entry.name,
          own: entry.own ?? false,
          takeTurn: () => writeAll(write, writer, maker, count, atOnce),
        }));
        await warmUp(entrants, bench.progress, title);
        const results = await inRounds(entrants, rounds, bench.progress, title);
        groups.push({
          title,
          ratioOf: 'speed',
          counts: 'writes',
          charted: false,
          results: results as [Result, ...Result[]],
        });
      }
    }
    return groups;
  } finally {
    for (const { writer } of [...writers, { writer: maker }]) await writer.close();
  }
}

/** Writes of a turn that come before those that count: code that the others' turns have made cold is compiled again. */
const WARM_UP = 0.6;

/** A turn: each session is written once, so many at a time. */
async function writeAll(write: Write, writer: Writer, maker: OwnWriter, count: number, atOnce: number): Promise<Turn> {
  const warmUp = Math.ceil(count * WARM_UP);
  const sessions = write === 'create' ? [] : await maker.make(warmUp + count);
  const one = (i: number): Promise<unknown> =>
    write === 'create' ? writer.create(`user-${i}`) : writer[write](sessions[i]!);
  let next = 0;
  const upTo = async (end: number): Promise<void> => {
    const oneAfterTheOther = async (): Promise<void> => {
      while (next < end) await one(next++);
    };
    await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther));
  };
  await upTo(warmUp);
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  await upTo(warmUp + count);
  const elapsedMs = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: (count / elapsedMs) * 1000, cpuMicroseconds: (user + system) / count };
}
