import { Bench } from './bench.js';
import { compareBuilds } from './builds.js';
import { type BenchOptions, parseOptions, SECTIONS, type SectionName, USAGE } from './options.js';
import { writeReport } from './report.js';
import type { Group } from './results.js';
import { cacheSection } from './sections/cache.js';
import { growthSection } from './sections/growth.js';
import { httpSection } from './sections/http.js';
import { pruningSection } from './sections/pruning.js';
import { revocationSection } from './sections/revocation.js';
import { signInSection } from './sections/sign-in.js';
import { validationSection } from './sections/validation.js';
import { writesSection } from './sections/writes.js';
import { tableOf, textTable } from './table.js';
import { targetsTable } from './targets.js';

const SECTION_OF: Readonly<Record<SectionName, (bench: Bench) => Promise<Group[]>>> = {
  postgres: (bench) => validationSection(bench, 'postgres'),
  mariadb: (bench) => validationSection(bench, 'mariadb'),
  sqlite: (bench) => validationSection(bench, 'sqlite'),
  writes: writesSection,
  signIn: signInSection,
  cache: cacheSection,
  revocation: revocationSection,
  http: httpSection,
  growth: growthSection,
  pruning: pruningSection,
};

async function run(bench: Bench): Promise<void> {
  const sections = new Map<SectionName, Group[]>();
  for (const name of SECTIONS.filter((one) => bench.options.sections.includes(one))) {
    const groups = await SECTION_OF[name](bench);
    sections.set(name, groups);
    for (const group of groups) bench.progress.say(`\n${group.title}\n\n${textTable(tableOf(group))}`);
  }
  const groups = [...sections.values()].flat();
  if (groups.length === 0) throw new Error('Nothing was measured.');
  bench.progress.say(`\nTargets\n\n${textTable(targetsTable(groups))}`);
  bench.progress.say(`\n${await writeReport(bench, sections)} is written.`);
}

class Interrupted extends Error {}

async function interrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new Interrupted(`Ended by ${signal}; what was made is gone.`)));
  });
}

function optionsOrUsage(): BenchOptions {
  const args = process.argv.slice(2);
  try {
    if (!args.includes('--help')) return parseOptions(args);
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const bench = new Bench(optionsOrUsage());
const errors: unknown[] = [];
try {
  const { against } = bench.options;
  const running = against === undefined ? run(bench) : compareBuilds(bench, against);
  await Promise.race([running, interrupted()]);
} catch (error) {
  errors.push(error);
}
errors.push(...(await bench.cleanUps.run()));
for (const error of errors) console.error(error instanceof Interrupted ? error.message : error);
process.exit(errors.length === 0 ? 0 : 1);
