import type { Bench } from '../bench.js';
import { type Entry } from '../contenders/by-database.js';
import { digestAndMap } from '../contenders/map.js';
import { authenticate, fillSessions } from '../contenders/nest-sessions.js';
import { pgNamed } from '../contenders/pg.js';
import type { Group } from '../results.js';
import { compareValidations } from './validation.js';

export const CACHE_TITLE = 'Near cache hits';
export const MAP_NAME = 'a digest and a Map';
export const CACHED_NAME = 'nest-sessions authenticate(), near cache';

const ENTRIES: readonly [Entry, ...Entry[]] = [
  { name: MAP_NAME, tokens: 'few', fill: fillSessions, open: digestAndMap },
  {
    name: CACHED_NAME,
    own: true,
    tokens: 'few',
    fill: fillSessions,
    open: (database) => authenticate(database, undefined, { cache: true }),
  },
  { name: 'pg, named statement', tokens: 'few', fill: fillSessions, open: (database) => pgNamed(database) },
];

/** Validations of the same few tokens, which are kept in the process; none without PostgreSQL. */
export async function cacheSection(bench: Bench): Promise<Group[]> {
  const dataset = await bench.dataset('postgres');
  if (!dataset) return [];
  const isCharted = (atOnce: number): boolean => atOnce === 1;
  return compareValidations(bench, dataset, ENTRIES, { title: CACHE_TITLE, isCharted });
}
