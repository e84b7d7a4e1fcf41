import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { Pool } from 'pg';
import type { ObjectLiteral, Repository } from 'typeorm';
import { BENCH_FOLDER } from './folders.js';

/** What express-session puts on a request, and its stores keep. */
export interface ExpressSession {
  readonly userId?: string;
}

/** A store of express-session. */
export interface ExpressStore {
  get(sid: string, callback: (error: unknown, session?: ExpressSession | null) => void): void;
  close?(): Promise<void>;
}

export interface ExpressRequest {
  readonly headers: IncomingHttpHeaders;
  readonly session?: ExpressSession;
}

export interface ExpressResponse {
  status(code: number): ExpressResponse;
  json(body: object): void;
}

export type ExpressHandler = (request: ExpressRequest, response: ExpressResponse) => unknown;

export interface BetterAuth {
  readonly options: object;
  readonly $context: Promise<{
    readonly internalAdapter: { createSession(userId: string): Promise<{ readonly token: string }> };
  }>;
  readonly api: {
    getSession(request: { headers: Headers }): Promise<{ user: { id: string } } | null>;
  };
}

export interface ExpressSessionModule {
  (options: object): ExpressHandler;
  readonly Store: new () => ExpressStore;
}

/** The little of each package that is used here: so the project compiles where they are not installed. */
interface Peers {
  'better-auth': { readonly betterAuth: (options: object) => BetterAuth };
  'better-auth/db/migration': {
    readonly getMigrations: (options: object) => Promise<{ runMigrations(): Promise<void> }>;
  };
  'better-auth/node': { readonly fromNodeHeaders: (headers: IncomingHttpHeaders) => Headers };
  'express-session': { default: ExpressSessionModule };
  'connect-pg-simple': {
    default: (
      session: ExpressSessionModule,
    ) => new (options: {
      pool: Pool;
      tableName: string;
      pruneSessionInterval: false;
      disableTouch?: boolean;
    }) => ExpressStore;
  };
  'connect-typeorm': {
    TypeormStore: new (options: { cleanupLimit: number }) => {
      connect(repository: Repository<ObjectLiteral>): ExpressStore;
    };
  };
  express: {
    default: () => {
      disable(setting: string): void;
      use(handler: ExpressHandler): void;
      get(path: string, handler: ExpressHandler): void;
      listen(port: number, host: string, listening: () => void): Server;
    };
  };
  'vega-lite': { compile: (spec: object) => { readonly spec: object } };
  vega: {
    parse: (spec: object) => object;
    View: new (runtime: object, options: { renderer: 'none' }) => { toSVG(): Promise<string> };
  };
  autocannon: { default: (options: LoadOptions, done: (error: Error | null, result: LoadResult) => void) => LoadRun };
}

/** What autocannon is told. */
export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly duration: number;
  /** Milliseconds between two looks at the clock. */
  readonly sampleInt: number;
  setupClient(client: LoadClient): void;
}

/** A connection of autocannon. */
export interface LoadClient {
  setRequests(requests: readonly { headers: Record<string, string> }[]): void;
}

/** A run of autocannon that has been started. */
export interface LoadRun {
  once(event: 'start', listener: () => void): void;
}

/** What autocannon counts. */
export interface LoadResult {
  readonly errors: number;
  readonly timeouts: number;
  readonly non2xx: number;
  readonly requests: { readonly total: number };
}

/** The module of a peer, or of another package, from the dependencies of this folder. */
export async function peer<N extends keyof Peers>(name: N): Promise<Peers[N]> {
  const { importPeer } = (await import(new URL('import-peer.mjs', BENCH_FOLDER).href)) as {
    readonly importPeer: (name: N) => Promise<Peers[N]>;
  };
  return importPeer(name);
}

/** The version of a package of this folder, or of the project. */
export function versionOf(name: string): string {
  for (const folder of [BENCH_FOLDER, new URL('..', BENCH_FOLDER)]) {
    try {
      const text = readFileSync(new URL(`node_modules/${name}/package.json`, folder), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`${name} is not installed: run npm install in bench/.`);
}
