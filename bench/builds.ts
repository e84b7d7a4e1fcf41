/** Lookups by another build of the library and by this one, side by side on the same rows. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Bench } from './bench.js';
import { authenticate, fillSessions, FULL, FullSessions, type Library } from './contenders/nest-sessions.js';
import { ROOT_FOLDER } from './folders.js';
import { parseOptions } from './options.js';
import type { Group, Result, Turn } from './results.js';
import { compareValidations, DATABASE_TITLES } from './sections/validation.js';
import { spreadOf } from './statistics.js';
import { tableOf, textTable } from './table.js';

const DATABASES = ['postgres', 'sqlite', 'mariadb'] as const;
const USAGE =
  'npm run bench:builds -- <checkout with a built libs/sessions> [--only postgres,sqlite] [options of the bench]';

/** Short turns of one pair: what else the machine does meanwhile falls on both builds. */
const TURNS_OF_A_PAIR = 10;
const PAIRS = 10;

/** The turns of a group, those of each pair as one. */
function inPairs(group: Group): Group {
  const pairOf = (turns: readonly Turn[]): Turn => ({
    perSecond: spreadOf(turns.map(({ perSecond }) => perSecond)).median,
    cpuMicroseconds: spreadOf(turns.map(({ cpuMicroseconds }) => cpuMicroseconds)).median,
  });
  const pairsOf = (turns: readonly Turn[]): Turn[] =>
    Array.from({ length: Math.ceil(turns.length / TURNS_OF_A_PAIR) }, (_, i) =>
      pairOf(turns.slice(i * TURNS_OF_A_PAIR, (i + 1) * TURNS_OF_A_PAIR)),
    );
  const results = group.results.map((result): Result => ({ ...result, turns: pairsOf(result.turns) }));
  return { ...group, results: results as [Result, ...Result[]] };
}

/** The other build, in a folder from which it finds the same packages as this one. */
async function buildOf(checkout: string, bench: Bench): Promise<Library> {
  const folder = await mkdtemp(fileURLToPath(new URL('dist/build-', ROOT_FOLDER)));
  bench.cleanUps.add(() => rm(folder, { recursive: true, force: true }));
  await cp(join(checkout, 'libs/sessions/dist'), folder, { recursive: true });
  return (await import(pathToFileURL(join(folder, 'index.js')).href)) as Library;
}

const [checkout, ...args] = process.argv.slice(2);
if (checkout === undefined || checkout.startsWith('-')) {
  console.error(USAGE);
  process.exit(2);
}
const rounds = String(PAIRS * TURNS_OF_A_PAIR);
const bench = new Bench(parseOptions(['--rounds', rounds, '--seconds', '0.1', '--only', 'postgres,sqlite', ...args]));
try {
  const before = await buildOf(checkout, bench);
  const FormerSessions = class extends before.SessionsTable(FULL) {};
  const fill = (dataset: Parameters<typeof fillSessions>[0]): Promise<void> => fillSessions(dataset, FullSessions);
  for (const name of DATABASES.filter((one) => bench.options.sections.includes(one))) {
    const dataset = await bench.dataset(name);
    if (!dataset) continue;
    const groups = await compareValidations(
      bench,
      dataset,
      [
        { name: 'before', fill, open: (database) => authenticate(database, FormerSessions, {}, before) },
        { name: 'now', own: true, fill, open: (database) => authenticate(database, FullSessions) },
      ],
      { title: `${DATABASE_TITLES[name]}, all features`, isCharted: () => false },
    );
    for (const group of groups.map(inPairs)) bench.progress.say(`\n${group.title}\n\n${textTable(tableOf(group))}`);
  }
} finally {
  for (const error of await bench.cleanUps.run()) console.error(error);
}
process.exit();
