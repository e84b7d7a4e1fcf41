import type { Bench } from '../bench.js';
import { check, type Contender } from '../contender.js';
import { CONTENDERS, type Entry } from '../contenders/by-database.js';
import type { DatabaseName } from '../databases.js';
import { type Entrant, inRounds, validations, warmUp } from '../measure.js';
import { CONTROL, type Group, type Result } from '../results.js';

export const DATABASE_TITLES: Readonly<Record<DatabaseName, string>> = {
  postgres: 'PostgreSQL',
  mariadb: 'MariaDB',
  sqlite: 'SQLite',
};

/** The title of a group of validations. */
export function validationTitle(name: DatabaseName, atOnce: number): string {
  return `${DATABASE_TITLES[name]}, ${atOnce} at once`;
}

/** The number of validations at once that the chart shows for every database. */
const CHARTED_AT_ONCE = 16;

/** Validations in this process, by every contender of a database; none where there is no such database. */
export async function validationSection(bench: Bench, name: DatabaseName): Promise<Group[]> {
  const dataset = await bench.dataset(name);
  if (!dataset) return [];
  const { rows, rounds, seconds, atOnce: levels } = bench.options;
  const [baseline, ...others] = CONTENDERS[name];
  const entries = [baseline, ...others.filter((entry) => bench.isWanted(entry.name))];
  const opened: { entry: Entry; contender: Contender }[] = [];
  try {
    for (const entry of entries) {
      await entry.fill(dataset);
      bench.progress.show(`checking ${entry.name} on ${DATABASE_TITLES[name]}`);
      const contender = await entry.open(dataset.database);
      opened.push({ entry, contender });
      await check(entry.name, contender, rows);
    }
    const control = { entry: { ...baseline, name: baseline.name + CONTROL }, contender: opened[0]!.contender };
    const entrantsAt = (atOnce: number): Entrant[] =>
      [...opened.slice(0, 1), control, ...opened.slice(1)].map(({ entry, contender }) => ({
        name: entry.name,
        own: entry.own,
        takeTurn: () => validations(contender, { rows, tokens: entry.tokens, atOnce, seconds }),
      }));
    await warmUp(entrantsAt(CHARTED_AT_ONCE), bench.progress, DATABASE_TITLES[name]);
    const groups: Group[] = [];
    for (const atOnce of levels) {
      const title = validationTitle(name, atOnce);
      const results = await inRounds(entrantsAt(atOnce), rounds, bench.progress, title);
      const charted = name === 'postgres' || atOnce === CHARTED_AT_ONCE;
      groups.push({
        title,
        ratioOf: 'speed',
        counts: 'validations',
        charted,
        results: results as [Result, ...Result[]],
      });
    }
    return groups;
  } finally {
    for (const { contender } of opened) await contender.close();
  }
}
