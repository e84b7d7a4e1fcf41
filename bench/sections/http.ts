import type { Bench } from '../bench.js';
import { check, credentialOf } from '../contender.js';
import type { Dataset } from '../dataset.js';
import { Child } from '../http/child.js';
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

/** An application that has been started. */
interface Running {
  readonly entry: HttpEntry;
  readonly url: string;
  readonly server: Child<ServerQuestion, number>;
}

/** Guarded routes on PostgreSQL, each application and the load in processes of their own; none without PostgreSQL. */
export async function httpSection(bench: Bench): Promise<Group[]> {
  const dataset = await bench.dataset('postgres');
  if (!dataset) return [];
  const load = new Child<Load, Loaded>('load.js', [], bench.cleanUps);
  const groups: Group[] = [];
  for (const { title, entries } of HTTP_GROUPS) {
    const [baseline, ...others] = entries;
    const wanted = [baseline, ...others.filter((entry) => bench.isWanted(entry.name))];
    const running: Running[] = [];
    for (const entry of wanted) running.push(await start(bench, dataset, entry));
    const entrants = [
      ...running.slice(0, 1),
      { ...running[0]!, entry: { ...baseline, name: baseline.name + CONTROL } },
      ...running.slice(1),
    ].map((one) => ({
      name: one.entry.name,
      own: one.entry.own,
      takeTurn: () => turn(one, load, bench.options.rows, bench.options.seconds * TURN_FACTOR),
    }));
    await warmUp(entrants, bench.progress, title);
    const results = await inRounds(entrants, bench.options.rounds, bench.progress, title);
    groups.push({
      title,
      ratioOf: 'speed',
      counts: 'requests',
      charted: true,
      results: results as [Result, ...Result[]],
    });
    for (const { server } of running) await server.stop();
  }
  await load.stop();
  return groups;
}

async function start(bench: Bench, dataset: Dataset, entry: HttpEntry): Promise<Running> {
  await entry.fill?.(dataset);
  bench.progress.show(`starting ${entry.application}`);
  const args = [entry.application, JSON.stringify(dataset.database)];
  const server = new Child<ServerQuestion, number>('server.js', args, bench.cleanUps);
  const url = `http://127.0.0.1:${await server.ask('port')}/`;
  if (!entry.open) await check(entry.name, asContender(entry, url), bench.options.rows);
  return { entry, url, server };
}

async function turn(
  { entry, url, server }: Running,
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
  const cpuBefore = await server.ask('cpuMicroseconds');
  const { perSecond, requests: count } = await load.ask({ ...requests, seconds });
  return { perSecond, cpuMicroseconds: ((await server.ask('cpuMicroseconds')) - cpuBefore) / count };
}
