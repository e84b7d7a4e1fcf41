import { inTable, ofTable } from '../errors/messages.js';

// Calls that need something else first.
export const madeByNest = (service: string): string =>
  `Nest creates ${service}: import SessionsModule.forFeature(…) and inject it`;

export const optionNeeded = (table: string, call: string, option: string): string =>
  inTable(table, `${call}() needs ${option}: true in its definition`);

export const requestNeedsLastUse = (table: string): string =>
  inTable(table, 'signIn() with a request needs lastUse in its definition');

export const NO_ID = 'must be the id of a session';

export const NO_SESSION = 'must be a session, or an object with its id';

export const NOT_AS_READ = 'must be that of the session as it was read: an id, or a copy that was JSON, is not enough';

export const NO_REQUEST = 'must be a request of Express or Fastify, with its headers';

// Queries that are not supported.
export const revokesNoPart = (table: string): string =>
  ofTable(table, "revoke({ reason: 'credentials_changed' }) covers all sessions of owners: leave out take and skip.");

export const typeOrmNeeded = (table: string): string => ofTable(table, 'toQueryBuilder() needs the TypeOrmAdapter.');
