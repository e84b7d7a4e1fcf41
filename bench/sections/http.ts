import type { Bench } from '../bench.js';
import { check, credentialOf } from '../contender.js';
import type { Dataset } from '../dataset.js';
import { Child } from '../child.js';
import { asContender, headersOf, HTTP_GROUPS, type HttpEntry } from '../http/contenders.js';
import type { Load, Loaded } from '../http/load.js';
import type { ServerQuestion } from '../http/server.js';
import { inRounds, warmUp, warmUpMs } from '../measure.js';
import { CONTROL, type Group, type Result, type Turn } from '../results.js';
import { drawTokens } from '../tokens.js';

/** Requests over HTTP take longer to settle than calls. */
const TURN_FACTOR = 2;
/** Distinct tokens for each second of a turn. */
const TOKENS_PER_SECOND = 8000;

/** A process of an application. */
interface Server {
  readonly url: string;
  readonly child: Child<ServerQuestion, number>;
}

/** An application that has been started. */
interface Running {
  readonly entry: HttpEntry;
  /** They take turns. */
  readonly servers: readonly Server[];
}

/** Guarded routes on PostgreSQL, each application and the load in processes of their own; none without PostgreSQL. */
export async function httpSection(bench: Bench): Promise<Group[]> {
  const dataset = await bench.dataset('postgres');
  if (!dataset) return [];
  const load = new Child<Load, Loaded>('http/load.js', [], bench.cleanUps);
  const groups: Group[] = [];
  for (const { title, entries, processes = 1 } of HTTP_GROUPS) {
    const [baseline, ...others] = entries;
    const wanted = others.filter((entry) => bench.isWanted(entry.name));
    // The control has processes of its own: those of one application differ.
    const named = [baseline, { ...baseline, name: baseline.name + CONTROL }, ...wanted];
    const running: Running[] = [];
    for (const entry of named) running.push(await start(bench, dataset, entry, processes));
    const entrants = running.map((one) => ({
      name: one.entry.name,
      own: one.entry.own,
      takeTurn: turns(bench, load, one),
    }));
    for (let i = 0; i < processes; i++) await warmUp(entrants, bench.progress, title);
    const results = await inRounds(entrants, bench.options.rounds, bench.progress, title);
    groups.push({
      title,
      ratioOf: 'speed',
      counts: 'requests',
      charted: true,
      results: results as [Result, ...Result[]],
    });
    for (const { servers } of running) for (const { child } of servers) await child.stop();
  }
  await load.stop();
  return groups;
}

async function start(bench: Bench, dataset: Dataset, entry: HttpEntry, processes: number): Promise<Running> {
  await entry.fill?.(dataset);
  const args = [entry.application, JSON.stringify(dataset.database)];
  const servers: Server[] = [];
  while (servers.length < processes) {
    bench.progress.show(`starting ${entry.application}`);
    const child = new Child<ServerQuestion, number>('http/server.js', args, bench.cleanUps);
    const url = `http://127.0.0.1:${await child.ask('port')}/`;
    if (!entry.open) await check(entry.name, asContender(entry, url), bench.options.rows);
    servers.push({ url, child });
  }
  return { entry, servers };
}

/** Gives one process after the other a turn. */
function turns({ options }: Bench, load: Child<Load, Loaded>, { entry, servers }: Running): () => Promise<Turn> {
  let taken = 0;
  const seconds = options.seconds * TURN_FACTOR;
  return () => turn(entry, servers[taken++ % servers.length]!, load, options.rows, seconds);
}

async function turn(
  entry: HttpEntry,
  { url, child }: Server,
  load: Child<Load, Loaded>,
  rows: number,
  seconds: number,
): Promise<Turn> {
  const inCookie = entry.cookie !== undefined;
  const drawn = drawTokens(rows, entry.tokens ?? 'all', Math.ceil(seconds * TOKENS_PER_SECOND));
  const sent = drawn.map((token) => headersOf(inCookie, credentialOf({ credential: entry.cookie }, token)));
  const [header] = Object.keys(sent[0]!) as [string];
  const requests = { url, header, values: sent.map((headers) => headers[header]!) };
  await load.ask({ ...requests, seconds: warmUpMs(seconds) / 1000 });
  const cpuBefore = await child.ask('cpuMicroseconds');
  const { perSecond, requests: count } = await load.ask({ ...requests, seconds });
  return { perSecond, cpuMicroseconds: ((await child.ask('cpuMicroseconds')) - cpuBefore) / count };
}
