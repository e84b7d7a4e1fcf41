import type { Contender } from '../contender.js';
import type { Dataset } from '../dataset.js';
import { betterAuthCookie, fillBetterAuth } from '../contenders/better-auth.js';
import { fillConnectPgSimple } from '../contenders/connect-pg-simple.js';
import { expressSessionCookie } from '../contenders/express-store.js';
import { fillSessions } from '../contenders/nest-sessions.js';
import type { ApplicationName } from './applications.js';
import type { Platform } from './nest-apps.js';

/** An application and its clients. */
export interface HttpEntry {
  readonly name: string;
  readonly application: ApplicationName;
  /** Whether it is the library's. Default: false. */
  readonly own?: boolean;
  /** Whether it lets everybody in. Default: false. */
  readonly open?: boolean;
  /** Where clients carry the credential. Default: the `Authorization` header. */
  readonly cookie?: (token: string) => string;
  /** The tokens that it sees. Default: all. */
  readonly tokens?: 'all' | 'few';
  /** Makes and fills its tables. Default: none. */
  readonly fill?: (dataset: Dataset) => Promise<void>;
}

export const GUARD_NAME = 'SessionGuard';
const FEW_NAME = 'SessionGuard, the same 1,000 tokens';
export const CACHED_GUARD_NAME = 'SessionGuard with a near cache, the same 1,000 tokens';
const MAP_GUARD_NAME = 'a guard of a digest and a Map, the same 1,000 tokens';
export const BARE_NAME = 'no guard';
export const PG_NAME = 'a guard of one pg named statement';

function onDatabase(platform: Platform): readonly [HttpEntry, ...HttpEntry[]] {
  return [
    { name: PG_NAME, application: `${platform}-pg`, fill: fillSessions },
    { name: GUARD_NAME, application: `${platform}-sessions`, own: true, fill: fillSessions },
    { name: FEW_NAME, application: `${platform}-sessions`, own: true, tokens: 'few', fill: fillSessions },
    { name: 'a guard of findOneBy', application: `${platform}-find-one-by`, fill: fillSessions },
  ];
}

function inMemory(platform: Platform): readonly [HttpEntry, ...HttpEntry[]] {
  return [
    // As the others: more distinct requests take the load longer to send.
    { name: BARE_NAME, application: `${platform}-bare`, open: true, tokens: 'few' },
    { name: MAP_GUARD_NAME, application: `${platform}-map`, tokens: 'few', fill: fillSessions },
    { name: CACHED_GUARD_NAME, application: `${platform}-cached`, own: true, tokens: 'few', fill: fillSessions },
  ];
}

const ALONE: readonly HttpEntry[] = [
  { name: 'Express alone, one pg named statement', application: 'express-alone-pg', fill: fillSessions },
  {
    name: 'Express alone, express-session + connect-pg-simple',
    application: 'express-alone-session-touching',
    cookie: expressSessionCookie,
    fill: fillConnectPgSimple,
  },
  {
    name: 'Express alone, the same, disableTouch',
    application: 'express-alone-session',
    cookie: expressSessionCookie,
    fill: fillConnectPgSimple,
  },
  {
    name: 'Express alone, better-auth',
    application: 'express-alone-better-auth',
    cookie: betterAuthCookie,
    fill: fillBetterAuth,
  },
];

/** Contenders that are compared by HTTP; the first one is their baseline. */
interface HttpGroup {
  readonly title: string;
  readonly entries: readonly [HttpEntry, ...HttpEntry[]];
  /** Processes of each application, which take turns. Default: 1. */
  readonly processes?: number;
}

/** Two processes of one application differ by a sixth for as long as they live, where nothing else takes longer. */
const PROCESSES_IN_MEMORY = 4;

export const DATABASE_ON_FASTIFY = 'HTTP, NestJS on Fastify';
export const MEMORY_ON_FASTIFY = `${DATABASE_ON_FASTIFY}, from memory`;

/** What is measured by HTTP. */
export const HTTP_GROUPS: readonly HttpGroup[] = [
  { title: 'HTTP, NestJS on Express', entries: [...onDatabase('express'), ...ALONE] },
  {
    title: 'HTTP, NestJS on Express, from memory',
    entries: inMemory('express'),
    processes: PROCESSES_IN_MEMORY,
  },
  { title: DATABASE_ON_FASTIFY, entries: onDatabase('fastify') },
  { title: MEMORY_ON_FASTIFY, entries: inMemory('fastify'), processes: PROCESSES_IN_MEMORY },
];

/** An application as a contender, to be checked. */
export function asContender({ name, cookie }: HttpEntry, url: string): Omit<Contender, 'close'> {
  return {
    credential: cookie,
    async validate(credential) {
      const response = await fetch(url, { headers: headersOf(cookie !== undefined, credential) });
      const { userId } = (await response.json()) as { userId?: unknown };
      if (response.status === 401) return null;
      if (response.status === 200 && typeof userId === 'string') return { userId };
      throw new Error(`${name} answered ${response.status} with the user ${JSON.stringify(userId)}.`);
    },
  };
}

/** The header that carries a credential. */
export function headersOf(inCookie: boolean, credential: string): Record<string, string> {
  return inCookie ? { cookie: credential } : { authorization: `Bearer ${credential}` };
}
