import { execFile, fork } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench } from './bench.js';
import type { TurnOf, Visit } from './build-turns.js';
import { Child } from './child.js';
import { createDatabase, type Database, DATABASES } from './databases.js';
import { ROOT_FOLDER } from './folders.js';
import type { ApplicationName } from './http/applications.js';
import type { ServerQuestion } from './http/server.js';
import type { Turn } from './results.js';
import { DATABASE_TITLES, titleAt } from './sections/validation.js';
import { type ShortTurn, shortTurns } from './short-turns.js';
import { ratios, spreadOf } from './statistics.js';
import { spreadText, type Table, textTable } from './table.js';
import { drawTokens } from './tokens.js';

const run = promisify(execFile);

/** Where the other build lies, with the benchmark beside it as this one has it. */
const BEFORE_FOLDER = new URL('dist/before/', ROOT_FOLDER);
const BEFORE_SOURCES = new URL('dist/before-sources/', ROOT_FOLDER);

/** Who takes turns: the other build, it again, which shows the error of measurement, and this one. */
const ENTRANTS = ['before', 'control', 'now'] as const;
type Entrant = (typeof ENTRANTS)[number];

/** What each has reached in each round. */
type Visits = Readonly<Record<Entrant, TurnOf[][]>>;

/**
 * Look-ups, writes and requests by this build of the library and by that of a commit, side by side. Both take turns, each time in a process and
 * on a database of its own, which the build fills itself: applications of one process share what is compiled of their packages, and
 * tables that another build has filled may be in a form that this one does not know.
 */
export async function compareBuilds(bench: Bench, commit: string): Promise<void> {
  const before = await buildOf(bench, commit);
  const programs = { before, control: before, now: new URL('build-turns.js', import.meta.url) };
  const { rounds, sections } = bench.options;
  for (const name of DATABASES.filter((one) => sections.includes(one))) {
    const visits: Visits = { before: [], control: [], now: [] };
    const filled = new Map<Entrant, Database>();
    for (let round = 0; round < rounds; round++) {
      // Nobody is always the first.
      for (const entrant of round % 2 === 0 ? ENTRANTS : ENTRANTS.toReversed()) {
        bench.progress.show(`${name}, round ${round + 1} of ${rounds}: ${entrant}`);
        const database = await createDatabase(name, bench.cleanUps, (text) => bench.progress.say(text));
        visits[entrant].push(database ? await visit(bench, database, programs[entrant]) : []);
        if (database) filled.set(entrant, database);
      }
    }
    bench.progress.say(`\n${textTable(tableOf(`${DATABASE_TITLES[name]}, against ${commit}`, visits))}`);
    if (sections.includes('http') && filled.size > 0) await compareRequests(bench, programs, filled);
  }
}

/** A row for each thing that was measured; none where there is no such database. */
function tableOf(title: string, visits: Visits): Table {
  const rows = visits.now[0]!.map(({ what, atOnce }, at) => {
    const figures = (entrant: Entrant, of: keyof Turn): number[] => visits[entrant].map((turns) => turns[at]!.turn[of]);
    const against = (of: keyof Turn): string[] =>
      (['now', 'control'] as const).map((entrant) => spreadText(ratios(figures(entrant, of), figures('before', of))));
    const median = (of: keyof Turn): number => spreadOf(figures('now', of)).median;
    return [
      titleAt(what, atOnce),
      ...against('perSecond'),
      ...against('cpuMicroseconds'),
      Math.round(median('perSecond')).toLocaleString('en'),
      median('cpuMicroseconds').toFixed(1),
    ];
  });
  return { head: [title, 'speed', '(control)', 'CPU of Node', '(control)', 'per second', 'CPU, µs'], rows };
}

/** What a build reaches in a process that begins and ends with it. */
async function visit(bench: Bench, database: Database, program: URL): Promise<TurnOf[]> {
  const { rows, seconds, atOnce, sections } = bench.options;
  const asked: Visit = { database, rows, seconds, atOnce, isWriting: sections.includes('writes') };
  const child = fork(program, [JSON.stringify(asked)], {
    execArgv: ['--expose-gc'],
    // No commit waits for the disk, which is the same for both.
    env: { ...process.env, PGOPTIONS: '-c synchronous_commit=off' },
  });
  bench.cleanUps.add(async () => child.kill());
  return new Promise((resolve, reject) => {
    child.once('message', (turns) => resolve(turns as TurnOf[]));
    child.once('exit', (code) => reject(new Error(`The process of a build has ended with ${code}.`)));
  });
}

/** Processes of one application differ for as long as they live, so that there are several of each. */
const SERVERS = 2;
const REQUESTS = 200;
const REQUESTS_AT_ONCE = 8;
const TURNS_OF_REQUESTS = { rounds: 200, warmUps: 30 };

/** Requests of a guarded route, by the CPU of its process, on the database that its build has filled. */
async function compareRequests(
  bench: Bench,
  programs: Readonly<Record<Entrant, URL>>,
  databases: ReadonlyMap<Entrant, Database>,
): Promise<void> {
  for (const platform of ['express', 'fastify'] as const) {
    const application: ApplicationName = `${platform}-full`;
    const entrants: Record<string, ShortTurn> = {};
    for (const entrant of ENTRANTS)
      entrants[entrant] = await requests(bench, programs[entrant], [
        application,
        JSON.stringify(databases.get(entrant)),
      ]);
    await shortTurns(`a request of ${platform}, CPU`, TURNS_OF_REQUESTS, entrants);
  }
}

/** A turn: the CPU of a request in the process of an application, one process after the other. */
async function requests(bench: Bench, program: URL, args: readonly string[]): Promise<ShortTurn> {
  const turns: ShortTurn[] = [];
  while (turns.length < SERVERS) {
    const server = new Child<ServerQuestion, number>('http/server.js', args, bench.cleanUps, program);
    const url = `http://127.0.0.1:${await server.ask('port')}/`;
    const client = new Child<readonly string[], void>('http/requests.js', [url, `${REQUESTS_AT_ONCE}`], bench.cleanUps);
    turns.push(async () => {
      const tokens = drawTokens(bench.options.rows, 'all', REQUESTS);
      const before = await server.ask('cpuMicroseconds');
      await client.ask(tokens);
      return ((await server.ask('cpuMicroseconds')) - before) / REQUESTS;
    });
  }
  let taken = 0;
  return async () => turns[taken++ % SERVERS]!();
}

/** Builds the library of a commit, with the packages of this one; the program that takes its turns. */
async function buildOf(bench: Bench, commit: string): Promise<URL> {
  bench.progress.show(`building ${commit}`);
  const remove = async (): Promise<void> => {
    for (const folder of [BEFORE_FOLDER, BEFORE_SOURCES]) await rm(folder, { recursive: true, force: true });
  };
  await remove();
  bench.cleanUps.add(remove);
  await mkdir(BEFORE_SOURCES, { recursive: true });
  const [root, sources] = [ROOT_FOLDER, BEFORE_SOURCES].map((folder) => fileURLToPath(folder)) as [string, string];
  const archive = `${sources}sources.tar`;
  await run('git', ['archive', '--output', archive, commit, 'libs/sessions/src'], { cwd: root });
  await run('tar', ['-xf', archive, '-C', sources]);
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: {
      rootDir: '.',
      outDir: '../before',
      declaration: false,
      sourceMap: false,
      noCheck: true,
      paths: {},
    },
    include: ['libs/sessions/src/**/*.ts'],
    exclude: ['**/*.spec.ts'],
  };
  await writeFile(`${sources}tsconfig.json`, JSON.stringify(config));
  await run(process.execPath, [`${root}node_modules/typescript-7/bin/tsc`, '-p', `${sources}tsconfig.json`]);
  const programs = new URL('bench/', BEFORE_FOLDER);
  await cp(new URL('.', import.meta.url), programs, { recursive: true });
  return new URL('build-turns.js', programs);
}
