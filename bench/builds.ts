/** Lookups by another build of the library and by this one, side by side on the same rows. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Bench } from './bench.js';
import { authenticate, fillSessions, FULL, FullSessions, type Library } from './contenders/nest-sessions.js';
import { ROOT_FOLDER } from './folders.js';
import { parseOptions } from './options.js';
import { compareValidations, DATABASE_TITLES } from './sections/validation.js';
import { tableOf, textTable } from './table.js';

const DATABASES = ['postgres', 'sqlite', 'mariadb'] as const;
const USAGE =
  'npm run bench:builds -- <checkout with a built libs/sessions> [--only postgres,sqlite] [options of the bench]';

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
const bench = new Bench(parseOptions(['--rounds', '10', '--only', 'postgres,sqlite', ...args]));
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
    for (const group of groups) bench.progress.say(`\n${group.title}\n\n${textTable(tableOf(group))}`);
  }
} finally {
  for (const error of await bench.cleanUps.run()) console.error(error);
}
process.exit();
