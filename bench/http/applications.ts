import { FullSessions } from '../contenders/nest-sessions.js';
import type { Database } from '../databases.js';
import { betterAuthApp, expressPgApp, expressSessionApp } from './express-apps.js';
import { bareApp, findOneByApp, mapGuardApp, pgGuardApp, sessionGuardApp } from './nest-apps.js';

/** Starts an application on a port of its own, and gives the port. */
export type Application = (database: Database) => Promise<number>;

/** The applications that are measured, each in a process of its own. */
export const APPLICATIONS = {
  'express-bare': () => bareApp('express'),
  'express-map': (database) => mapGuardApp('express', database),
  'express-pg': (database) => pgGuardApp('express', database),
  'express-find-one-by': (database) => findOneByApp('express', database),
  'express-sessions': (database) => sessionGuardApp('express', database),
  'express-full': (database) => sessionGuardApp('express', database, {}, FullSessions),
  'express-cached': (database) => sessionGuardApp('express', database, { cache: true }),
  'fastify-bare': () => bareApp('fastify'),
  'fastify-map': (database) => mapGuardApp('fastify', database),
  'fastify-pg': (database) => pgGuardApp('fastify', database),
  'fastify-find-one-by': (database) => findOneByApp('fastify', database),
  'fastify-sessions': (database) => sessionGuardApp('fastify', database),
  'fastify-full': (database) => sessionGuardApp('fastify', database, {}, FullSessions),
  'fastify-cached': (database) => sessionGuardApp('fastify', database, { cache: true }),
  'express-alone-pg': expressPgApp,
  'express-alone-better-auth': betterAuthApp,
  'express-alone-session': (database) => expressSessionApp(database, { disableTouch: true }),
  'express-alone-session-touching': (database) => expressSessionApp(database, { disableTouch: false }),
} satisfies Record<string, Application>;

export type ApplicationName = keyof typeof APPLICATIONS;
