import { setImmediate, setTimeout } from 'node:timers/promises';
import { type Contender, credentialOf } from './contender.js';
import type { Progress } from './progress.js';
import type { Result, Turn } from './results.js';
import { drawTokens } from './tokens.js';

/** What takes turns. */
export interface Entrant {
  readonly name: string;
  readonly own?: boolean;
  takeTurn(): Promise<Turn>;
}

/** Gives every entrant a turn that does not count: code is compiled, and caches of the database fill. */
export async function warmUp(entrants: readonly Entrant[], progress: Progress, title: string): Promise<void> {
  for (const entrant of entrants) {
    progress.show(`${title}, warming up: ${entrant.name}`);
    await entrant.takeTurn();
  }
}

/** Lets every entrant have its turn in every round: A B C, A B C, … */
export async function inRounds(
  entrants: readonly Entrant[],
  rounds: number,
  progress: Progress,
  title: string,
): Promise<Result[]> {
  const turns = entrants.map((): Turn[] => []);
  const total = rounds * entrants.length;
  for (let round = 0; round < rounds; round++) {
    for (const [i, entrant] of entrants.entries()) {
      const done = Math.floor(((round * entrants.length + i) / total) * 100);
      progress.show(`${title}, ${done} %, round ${round + 1} of ${rounds}: ${entrant.name}`);
      // Nobody shall pay for the garbage of the one before.
      globalThis.gc?.();
      await setTimeout(SETTLING_MS);
      turns[i]!.push(await entrant.takeTurn());
    }
  }
  return entrants.map(({ name, own = false }, i) => ({ name, own, turns: turns[i]! }));
}

const SETTLING_MS = 10;
const MIN_WARM_UP_MS = 50;

/**
 * How long a turn is warmed up before it counts: connections are opened, statements prepared, and code that the others' turns
 * have made cold is compiled again.
 */
export function warmUpMs(seconds: number): number {
  return Math.max(MIN_WARM_UP_MS, seconds * 600);
}

/** How long validations may keep the event loop to themselves. */
const TURN_MS = 10;

/** Distinct tokens for each second of a turn: more than are validated where a database answers over a socket. */
const TOKENS_PER_SECOND = 50_000;

/** Whose tokens, how many under way at once, and for how long. */
export interface ValidationOptions {
  readonly rows: number;
  readonly tokens?: 'all' | 'few';
  readonly atOnce: number;
  readonly seconds: number;
}

/** A contender's turn in this process: so many validations under way at once, for so long. */
export async function validations(
  contender: Contender,
  { rows, tokens = 'all', atOnce, seconds }: ValidationOptions,
): Promise<Turn> {
  const drawn = drawTokens(rows, tokens, Math.ceil(seconds * TOKENS_PER_SECOND));
  const credentials = drawn.map((token) => credentialOf(contender, token));
  await validateFor(contender, credentials, atOnce, warmUpMs(seconds));
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  const count = await validateFor(contender, credentials, atOnce, seconds * 1000);
  const elapsedMs = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: (count / elapsedMs) * 1000, cpuMicroseconds: (user + system) / count };
}

async function validateFor(
  contender: Contender,
  credentials: readonly string[],
  atOnce: number,
  ms: number,
): Promise<number> {
  const end = performance.now() + ms;
  let count = 0;
  let turnEnds = 0;
  const oneAfterTheOther = async (): Promise<void> => {
    for (let now = performance.now(); now < end; now = performance.now()) {
      if (now > turnEnds) {
        // What answers in this process gives the event loop no turn of its own, as no server does.
        turnEnds = now + TURN_MS;
        await setImmediate();
      }
      if (!(await contender.validate(credentials[count++ % credentials.length]!)))
        throw new Error('A valid token was refused.');
    }
  };
  await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther));
  return count;
}
