import { fork } from 'node:child_process';
import type { Bench } from './bench.js';
import { type Entrant, ENTRANTS, foldersOf } from './build-folders.js';
import type { TurnOf, Visit } from './build-turns.js';
import { createDatabase, type Database, DATABASES } from './databases.js';
import type { RequestFigures, RequestVisit } from './request-turns.js';
import type { Turn } from './results.js';
import { DATABASE_TITLES, titleAt } from './sections/validation.js';
import { shortTurnsTable } from './short-turns.js';
import { ratios, spreadOf } from './statistics.js';
import { spreadText, type Table, textTable } from './table.js';

/** What each has reached in each round. */
type Visits = Readonly<Record<Entrant, TurnOf[][]>>;

/**
 * Look-ups, writes and requests by this build of the library and by that of a commit, side by side. Each looks up and writes in
 * processes and on databases of its own, which it fills itself: tables that another build has filled may be in a form that it does
 * not know. Requests are answered by all of them in the same processes.
 */
export async function compareBuilds(bench: Bench, commit: string): Promise<void> {
  const folders = await foldersOf(bench, commit);
  const { rounds, sections } = bench.options;
  for (const name of DATABASES.filter((one) => sections.includes(one))) {
    const visits: Visits = { before: [], control: [], now: [] };
    const filled = new Map<Entrant, Database>();
    for (let round = 0; round < rounds; round++) {
      // Nobody is always the first.
      for (const entrant of round % 2 === 0 ? ENTRANTS : ENTRANTS.toReversed()) {
        bench.progress.show(`${name}, round ${round + 1} of ${rounds}: ${entrant}`);
        const database = await createDatabase(name, bench.cleanUps, (text) => bench.progress.say(text));
        visits[entrant].push(database ? await visit(bench, database, folders[entrant]) : []);
        if (database) filled.set(entrant, database);
      }
    }
    bench.progress.say(`\n${textTable(tableOf(`${DATABASE_TITLES[name]}, against ${commit}`, visits))}`);
    if (sections.includes('http') && filled.size > 0) await compareRequests(bench, folders, filled);
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
async function visit(bench: Bench, database: Database, folder: URL): Promise<TurnOf[]> {
  const { rows, seconds, atOnce, sections } = bench.options;
  const asked: Visit = { database, rows, seconds, atOnce, isWriting: sections.includes('writes') };
  return answerOf(bench, new URL('build-turns.js', folder), asked);
}

/** What a process tells that begins and ends with a question. */
async function answerOf<Answer>(bench: Bench, program: URL, question: unknown): Promise<Answer> {
  const child = fork(program, [JSON.stringify(question)], {
    execArgv: ['--expose-gc'],
    // No commit waits for the disk, which is the same for all.
    env: { ...process.env, PGOPTIONS: '-c synchronous_commit=off' },
  });
  bench.cleanUps.add(async () => child.kill());
  return new Promise((resolve, reject) => {
    child.once('message', (answer) => resolve(answer as Answer));
    child.once('exit', (code) => reject(new Error(`The process of a build has ended with ${code}.`)));
  });
}

/** Processes that the applications of all builds share, one after the other: each build is as often the first, and the last. */
const PROCESSES = 2 * ENTRANTS.length;

/** Requests of a guarded route, by the CPU of the process of all, on the databases that their builds have filled. */
async function compareRequests(
  bench: Bench,
  folders: Readonly<Record<Entrant, URL>>,
  databases: ReadonlyMap<Entrant, Database>,
): Promise<void> {
  const builds = ENTRANTS.map((name) => ({ name, folder: folders[name].href, database: databases.get(name)! }));
  const program = new URL('request-turns.js', import.meta.url);
  for (const platform of ['express', 'fastify'] as const) {
    const runs: RequestFigures[] = [];
    while (runs.length < PROCESSES) {
      bench.progress.show(`requests of ${platform}, process ${runs.length + 1} of ${PROCESSES}`);
      const first = runs.length % builds.length;
      const inTurn = [...builds.slice(first), ...builds.slice(0, first)];
      const asked: RequestVisit = { platform, rows: bench.options.rows, builds: inTurn };
      runs.push(await answerOf<RequestFigures>(bench, program, asked));
    }
    for (const [at, { atOnce }] of runs[0]!.entries()) {
      const title = `${titleAt(`a request of ${platform}`, atOnce)}, CPU of Node`;
      const parts = runs.map((run) => run[at]!.figures);
      bench.progress.say(`\n${textTable(shortTurnsTable(title, parts))}`);
    }
  }
}
