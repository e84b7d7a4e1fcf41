import { StaleSessionError } from '@app/sessions';
import type { DatabaseName } from '../support/databases.js';

/** Rounds that run at once, each with sessions of its own: they keep the connections of both nodes busy. */
const AT_ONCE = 8;

/** All rounds of a race take minutes, so others run a fifth of them: `npm run test:races`. */
const ALL = process.env['RACES'] === 'all';

/** How many rounds a race of so many has in this run. */
export function rounds(all: number): number {
  return ALL ? all : Math.ceil(all / 5);
}

/** How often a race is run on a database; SQLite runs one statement after the other anyway. */
export function roundsOn(name: DatabaseName): number {
  return rounds(name === 'sqlite' ? 50 : 200);
}

/** Runs so many rounds, several at a time. */
export async function inRounds(count: number, round: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const runner = async (): Promise<void> => {
    while (next < count) await round(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runner));
}

/** The results of so many calls that were made at once. */
export function atOnce<T>(count: number, call: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => call(i)));
}

/** What a call gave; `null` where the session had ended, the one way in which a call of a race may fail. */
export async function nullIfStale<T>(call: Promise<T>): Promise<T | null> {
  return call.catch((error: unknown) => {
    if (error instanceof StaleSessionError) return null;
    throw error;
  });
}
