import { Agent, request } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { SessionsService } from '../../libs/sessions/src/index.js';
import type { Bench } from '../bench.js';
import { fillSessions, Sessions, sessionsModules } from '../contenders/nest-sessions.js';
import type { Dataset } from '../dataset.js';
import type { ApplicationName } from '../http/applications.js';
import { Child } from '../child.js';
import { headersOf } from '../http/contenders.js';
import type { Load, Loaded } from '../http/load.js';
import type { ServerQuestion } from '../http/server.js';
import { type Group, type Result, took } from '../results.js';
import { drawTokens, tokenOf } from '../tokens.js';

export const REVOCATION_TITLE = 'Revocation by another process, on Fastify under load';
export const CACHED = 'with a near cache';

const WAYS: readonly { readonly name: string; readonly application: ApplicationName }[] = [
  { name: 'without a cache', application: 'fastify-sessions' },
  { name: CACHED, application: 'fastify-cached' },
];

/** Sessions that are revoked in a turn, and how many at once. */
const REVOKED = 1000;
const REVOKED_QUICKLY = 50;
const AT_ONCE = 4;
const MAX_ROUNDS = 3;

/** How often a session is asked for after it was refused: it must stay so. */
const ASKED_AGAIN = 3;

/** A load that lasts longer than any turn: it is ended with it. */
const LOAD_SECONDS = 600;

/** The process in which sessions are revoked: this one. */
interface Revoker {
  readonly sessions: SessionsService;
  readonly ask: (token: string) => Promise<number>;
}

/** How long after `revoke` has returned in one process another one still lets the session in; none without PostgreSQL. */
export async function revocationSection(bench: Bench): Promise<Group[]> {
  const dataset = await bench.dataset('postgres');
  if (!dataset) return [];
  await fillSessions(dataset);
  const count = bench.options.quick ? REVOKED_QUICKLY : REVOKED;
  const rounds = Math.min(bench.options.rounds, MAX_ROUNDS);
  const root = { module: class {}, imports: sessionsModules(dataset.database, Sessions, { cache: true }) };
  const app = await NestFactory.createApplicationContext(root, { logger: ['error'], abortOnError: false });
  const results: Result[] = [];
  // The last rows are those of nobody else.
  let next = dataset.rows - 1;
  try {
    for (const { name, application } of WAYS) {
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) {
        bench.progress.show(`${REVOCATION_TITLE}, round ${round + 1} of ${rounds}: ${name}`);
        const tokens = Array.from({ length: count }, () => tokenOf(next--));
        times.push(
          await underLoad(bench, dataset, application, (ask) => p99(tokens, { sessions: app.get(Sessions), ask })),
        );
      }
      results.push({ name, own: name === CACHED, turns: times.map(took) });
    }
  } finally {
    await app.close();
  }
  return [
    {
      title: REVOCATION_TITLE,
      ratioOf: 'time',
      counts: 'requests',
      measures: 'time until a revoked session is refused, 99th percentile',
      charted: false,
      results: results as [Result, ...Result[]],
    },
  ];
}

/** Runs `fn` beside 32 clients that ask an application of another process as fast as they can. */
async function underLoad<T>(
  bench: Bench,
  dataset: Dataset,
  application: ApplicationName,
  fn: (ask: Revoker['ask']) => Promise<T>,
): Promise<T> {
  const server = new Child<ServerQuestion, number>(
    'http/server.js',
    [application, JSON.stringify(dataset.database)],
    bench.cleanUps,
  );
  const load = new Child<Load, Loaded>('http/load.js', [], bench.cleanUps);
  const agent = new Agent({ keepAlive: true });
  try {
    const url = `http://127.0.0.1:${await server.ask('port')}/`;
    const values = drawTokens(dataset.rows / 2, 'few', 0).map((token) => headersOf(false, token)['authorization']!);
    const loading = load.ask({ url, header: 'authorization', values, seconds: LOAD_SECONDS });
    // It is ended before it is done.
    loading.catch(() => undefined);
    return await fn((token) => statusOf(url, token, agent));
  } finally {
    agent.destroy();
    await load.stop();
    await server.stop();
  }
}

async function p99(tokens: readonly string[], revoker: Revoker): Promise<number> {
  const times: number[] = [];
  const left = [...tokens];
  const revoking = async (): Promise<void> => {
    for (let token = left.pop(); token !== undefined; token = left.pop())
      times.push(await timeUntilRefusal(token, revoker));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, revoking));
  return times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1]!;
}

/** @throws Error where the process that revoked a session, or the other one once it has refused it, lets it in */
async function timeUntilRefusal(token: string, { sessions, ask }: Revoker): Promise<number> {
  const session = await sessions.authenticate(token);
  if (!session || (await ask(token)) !== 200) throw new Error('A valid session was refused.');
  await sessions.revoke(session);
  const begin = performance.now();
  if (await sessions.authenticate(token)) throw new Error('The process that revoked a session let it in.');
  while ((await ask(token)) === 200);
  const elapsed = performance.now() - begin;
  for (let i = 0; i < ASKED_AGAIN; i++) {
    if ((await ask(token)) === 200) throw new Error('A session was let in after it had been refused.');
  }
  return elapsed;
}

async function statusOf(url: string, token: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers: headersOf(false, token) }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end();
  });
}
