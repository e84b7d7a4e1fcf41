import type { Bench } from '../bench.js';
import { check, type Contender } from '../contender.js';
import { CONTENDERS, type Entry } from '../contenders/by-database.js';
import type { DatabaseName } from '../databases.js';
import type { Dataset } from '../dataset.js';
import { type Entrant, inRounds, validations, warmUp } from '../measure.js';
import { CONTROL, type Group, type Result } from '../results.js';

export const DATABASE_TITLES: Readonly<Record<DatabaseName, string>> = {
  postgres: 'PostgreSQL',
  mariadb: 'MariaDB',
  sqlite: 'SQLite',
};

/** The title of a group of validations. */
export function validationTitle(name: DatabaseName, atOnce: number): string {
  return titleAt(DATABASE_TITLES[name], atOnce);
}

export function titleAt(title: string, atOnce: number): string {
  return `${title}, ${atOnce} at once`;
}

/** The number of validations at once that the chart shows for every database. */
const CHARTED_AT_ONCE = 16;

/** Validations in this process, by every contender of a database; none where there is no such database. */
export async function validationSection(bench: Bench, name: DatabaseName): Promise<Group[]> {
  const dataset = await bench.dataset(name);
  if (!dataset) return [];
  return compareValidations(bench, dataset, CONTENDERS[name], {
    title: DATABASE_TITLES[name],
    isCharted: (atOnce) => name === 'postgres' || atOnce === CHARTED_AT_ONCE,
  });
}

/** Validations by the baseline, which is the first one, and by the others that are wanted, so many at once. */
export async function compareValidations(
  bench: Bench,
  dataset: Dataset,
  [baseline, ...others]: readonly [Entry, ...Entry[]],
  { title, isCharted }: { readonly title: string; readonly isCharted: (atOnce: number) => boolean },
): Promise<Group[]> {
  const { rows, rounds, seconds, atOnce: levels } = bench.options;
  const entries = [baseline, ...others.filter((entry) => bench.isWanted(entry.name))];
  const opened: { entry: Entry; contender: Contender }[] = [];
  try {
    for (const entry of entries) {
      await entry.fill(dataset);
      bench.progress.show(`checking ${entry.name} on ${title}`);
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
    await warmUp(entrantsAt(CHARTED_AT_ONCE), bench.progress, title);
    const groups: Group[] = [];
    for (const atOnce of levels) {
      const groupTitle = titleAt(title, atOnce);
      const results = await inRounds(entrantsAt(atOnce), rounds, bench.progress, groupTitle);
      groups.push({
        title: groupTitle,
        ratioOf: 'speed',
        counts: 'validations',
        charted: isCharted(atOnce),
        results: results as [Result, ...Result[]],
      });
    }
    return groups;
  } finally {
    for (const { contender } of opened) await contender.close();
  }
}
