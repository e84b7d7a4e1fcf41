import type { Bench } from '../bench.js';
import { check, type Contender } from '../contender.js';
import { OWN_NAME } from '../contenders/by-database.js';
import { authenticate, fillSessions, Sessions, sessionsTable, tableName } from '../contenders/nest-sessions.js';
import { pgNamed } from '../contenders/pg.js';
import { inRounds, validations, warmUp } from '../measure.js';
import type { Group, Result } from '../results.js';
import { titleAt } from './validation.js';

/** A lookup by itself, as a request waits for it, and so many that the database has no pause. */
export const GROWTH_AT_ONCE = [1, 16] as const;

/** The title of a group of tables of different sizes. */
export function growthTitle(contender: string, atOnce: number): string {
  return titleAt(`Growth: ${contender}`, atOnce);
}

/** Validations on PostgreSQL on tables of different sizes. */
export async function growthSection(bench: Bench): Promise<Group[]> {
  const dataset = await bench.dataset('postgres');
  if (!dataset) return [];
  const { database } = dataset;
  const { rounds, seconds } = bench.options;
  const opened: { way: string; size: number; contender: Contender }[] = [];
  try {
    for (const size of bench.options.sizes.toSorted((a, b) => a - b)) {
      const table = size === dataset.rows ? Sessions : sessionsTable(`sessions_${size}`);
      await fillSessions(dataset, table, size);
      opened.push({ way: 'pg, named statement', size, contender: pgNamed(database, tableName(table)) });
      opened.push({ way: OWN_NAME, size, contender: await authenticate(database, table) });
    }
    for (const { way, size, contender } of opened) await check(`${way} on ${size} rows`, contender, size);
    const measured = GROWTH_AT_ONCE.flatMap((atOnce) => opened.map((one) => ({ ...one, atOnce })));
    const entrants = measured.map(({ way, size, contender, atOnce }) => ({
      name: `${size.toLocaleString('en')} rows`,
      own: way === OWN_NAME,
      takeTurn: () => validations(contender, { rows: size, atOnce, seconds }),
    }));
    await warmUp(entrants, bench.progress, 'Growth');
    const results = await inRounds(entrants, rounds, bench.progress, 'Growth');
    const titles = measured.map(({ way, atOnce }) => growthTitle(way, atOnce));
    return [...new Set(titles)].map((title) => ({
      title,
      ratioOf: 'time',
      counts: 'validations',
      charted: false,
      results: results.filter((_, i) => titles[i] === title) as [Result, ...Result[]],
    }));
  } finally {
    for (const { contender } of opened) await contender.close();
  }
}
