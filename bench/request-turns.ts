/**
 * The turns of requests to applications of several builds of the library, in one process: two processes of the same application
 * differ by up to a sixth for as long as they live.
 */
import { Child } from './child.js';
import { CleanUps } from './clean-ups.js';
import type { Database } from './databases.js';
import type { Requests } from './http/requests.js';
import type { Platform } from './http/nest-apps.js';
import { type Figures, type ShortTurn, shortTurns } from './short-turns.js';
import { drawTokens } from './tokens.js';

/** A build, and the database that it has filled. */
export interface RequestedBuild {
  readonly name: string;
  /** The compiled benchmark beside the build. */
  readonly folder: string;
  readonly database: Database;
}

/** What a process is to measure. */
export interface RequestVisit {
  readonly platform: Platform;
  /** Sessions that are looked up. */
  readonly rows: number;
  readonly builds: readonly RequestedBuild[];
}

/** The CPU of a request of each build, by how many are sent at once. */
export type RequestFigures = readonly { readonly atOnce: number; readonly figures: Figures }[];

const AT_ONCE = [1, 8];
const REQUESTS = 100;
const TURNS = { rounds: 150, warmUps: 60 };

const { platform, rows, builds } = JSON.parse(process.argv[2]!) as RequestVisit;
const client = new Child<Requests, void>('http/requests.js', [], new CleanUps());

/** Starts the application of a build, with what it was compiled with. */
async function start({ folder, database }: RequestedBuild): Promise<number> {
  const { APPLICATIONS } = (await import(`${folder}http/applications.js`)) as typeof import('./http/applications.js');
  return APPLICATIONS[`${platform}-full`](database);
}

/** A turn: the CPU of a request in this process, in microseconds. */
function requests(port: number, atOnce: number): ShortTurn {
  return async () => {
    const tokens = drawTokens(rows, 'all', REQUESTS);
    const before = process.cpuUsage();
    await client.ask({ port, tokens, atOnce });
    // Each build pays for its own garbage.
    globalThis.gc!({ type: 'minor' });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / REQUESTS;
  };
}

const ports: [string, number][] = [];
for (const build of builds) ports.push([build.name, await start(build)]);
const measured: { atOnce: number; figures: Figures }[] = [];
for (const atOnce of AT_ONCE) {
  const turns = Object.fromEntries(ports.map(([name, port]) => [name, requests(port, atOnce)]));
  measured.push({ atOnce, figures: await shortTurns(TURNS, turns) });
}
process.send!(measured satisfies RequestFigures, () => process.exit());
