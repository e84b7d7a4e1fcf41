import { setTimeout } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import type { DatabaseName } from '../databases.js';
import type { Dataset } from '../dataset.js';
import { type Measured, PrunedTable } from '../pruned-table.js';
import { type Group, type Result, took } from '../results.js';
import { DATABASE_TITLES } from './validation.js';

export const PRUNING = 'nest-sessions deleteExpired()';
export const BESIDE_OLD = `${PRUNING}, an old transaction open`;
export const ONE_DELETE = 'one DELETE statement';
export const NO_PRUNING = 'lookups alone';

/** Every turn needs a table of its own, so there are fewer of them than elsewhere. */
const MAX_ROUNDS = 3;

/** The title of the group of the total times on a database. */
export function totalTitle(name: DatabaseName): string {
  return `${DATABASE_TITLES[name]}: pruning, in total`;
}

/** The title of the group of the lookups on a database while it is pruned. */
export function lookUpTitle(name: DatabaseName): string {
  return `${DATABASE_TITLES[name]}: lookups while rows are pruned`;
}

export const HOLD_TITLE = `${DATABASE_TITLES.sqlite}: the event loop while rows are pruned`;

type Way = (table: PrunedTable) => Promise<unknown>;

const WAYS: Readonly<Record<string, Way>> = {
  [ONE_DELETE]: ({ dataSource, sqlName }) => {
    const now = new Date().toISOString().slice(0, -1).replace('T', ' ');
    return dataSource.query(`DELETE FROM ${sqlName} WHERE ${dataSource.driver.escape('expiresAt')} <= '${now}'`);
  },
  [PRUNING]: ({ sessions }) => sessions.deleteExpired(),
};

/** Beside a transaction that could still see every row that is deleted. */
const besideOld: Way = async ({ dataSource, sqlName, sessions }) => {
  const old = dataSource.createQueryRunner();
  try {
    await old.startTransaction('REPEATABLE READ');
    await old.query(`SELECT 1 FROM ${sqlName} LIMIT 1`);
    await sessions.deleteExpired();
  } finally {
    await old.rollbackTransaction();
    await old.release();
  }
};

/** Deleting the expired half of a table on each database, while sessions of the other half are looked up. */
export async function pruningSection(bench: Bench): Promise<Group[]> {
  const groups: Group[] = [];
  for (const name of ['postgres', 'mariadb', 'sqlite'] as const) {
    const dataset = await bench.dataset(name);
    if (dataset) groups.push(...(await pruningOn(bench, dataset)));
  }
  return groups;
}

async function pruningOn(bench: Bench, dataset: Dataset): Promise<Group[]> {
  const { name } = dataset.database;
  const seconds = bench.options.seconds * 3;
  const ways = Object.entries({
    [NO_PRUNING]: () => setTimeout(seconds * 1000),
    ...WAYS,
    // SQLite has one writer, and no old versions of rows.
    ...(name !== 'sqlite' && { [BESIDE_OLD]: besideOld }),
  });
  const rounds = Math.min(bench.options.rounds, MAX_ROUNDS);
  const measured = ways.map((): Measured[] => []);
  for (let round = 0; round < rounds; round++) {
    let table: PrunedTable | undefined;
    try {
      for (const [i, [way, prune]] of ways.entries()) {
        bench.progress.show(`${totalTitle(name)}, round ${round + 1} of ${rounds}: ${way}`);
        table ??= await PrunedTable.make(dataset, `pruned_${round}_${i}`);
        const used = table;
        measured[i]!.push(await used.measure(() => prune(used)));
        if (way === NO_PRUNING) continue;
        await table.check();
        await table.drop();
        table = undefined;
      }
    } finally {
      await table?.drop();
    }
  }
  const results = (figure: keyof Measured): Result[] =>
    ways.map(([way], i) => ({
      name: way,
      own: way.startsWith(PRUNING),
      turns: measured[i]!.map((turn) => took(turn[figure])),
    }));
  const group = (title: string, measures: string, all: readonly Result[]): Group => {
    return { title, ratioOf: 'time', counts: 'rows', measures, charted: false, results: all as [Result, ...Result[]] };
  };
  return [
    group(totalTitle(name), 'total', results('totalMs').slice(1)),
    group(lookUpTitle(name), '99th percentile of a lookup', results('lookUpMs')),
    ...(name === 'sqlite' ? [group(HOLD_TITLE, 'longest hold', results('holdMs'))] : []),
  ];
}
