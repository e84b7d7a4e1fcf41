import type { Bench } from '../bench.js';
import { driverWriter, makeWritten, ownWriter, type Write, WRITES, writes } from '../contenders/writers.js';
import { type DatabaseName, DATABASES } from '../databases.js';
import { type Entrant, inRounds, warmUp } from '../measure.js';
import { CONTROL, type Group, type Result } from '../results.js';
import { DATABASE_TITLES, titleAt } from './validation.js';

const LIMIT: Readonly<Record<DatabaseName, string>> = {
  postgres: 'pg, named statement',
  mariadb: 'mysql2, execute',
  sqlite: 'better-sqlite3, prepared run',
};

export function writesTitle(name: DatabaseName, write: Write, atOnce: number): string {
  return titleAt(`${DATABASE_TITLES[name]}, ${write}`, atOnce);
}

/** The writes of the service against a driver's kept statements, on every database that there is. */
export async function writesSection(bench: Bench): Promise<Group[]> {
  const groups: Group[] = [];
  for (const name of DATABASES) groups.push(...(await compareWrites(bench, name)));
  return groups;
}

async function compareWrites(bench: Bench, name: DatabaseName): Promise<Group[]> {
  const dataset = await bench.dataset(name);
  if (!dataset) return [];
  await makeWritten(dataset);
  const { rounds, seconds, atOnce: levels } = bench.options;
  const [driver, own] = [await driverWriter(dataset.database), await ownWriter(dataset.database)];
  const writers = [
    { name: LIMIT[name], own: false, writer: driver },
    { name: LIMIT[name] + CONTROL, own: false, writer: driver },
    { name: 'nest-sessions', own: true, writer: own },
  ];
  try {
    const groups: Group[] = [];
    for (const write of WRITES) {
      for (const atOnce of levels) {
        const title = writesTitle(name, write, atOnce);
        const entrants = writers.map(({ writer, ...entrant }): Entrant => ({
          ...entrant,
          takeTurn: () => writes(write, writer, own, { atOnce, seconds }),
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
    for (const writer of [driver, own]) await writer.close();
  }
}
