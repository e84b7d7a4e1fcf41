import type { EntityManager } from 'typeorm';
import { type SessionOf, SessionsTable } from '@app/sessions';

/** It has all that calls need. */
const DEFINITION = {
  extraFields: { userId: { type: 'string' } },
  owner: 'userId',
  sessionLimits: { userId: { max: 30 } },
  rotation: true,
  freshness: true,
  revocation: true,
  lastUse: true,
} as const;

export class Sessions extends SessionsTable(DEFINITION) {}

/** The same with something else in its definition. */
export function sessionsTable(own: object): typeof Sessions {
  return class Sessions extends SessionsTable({ ...DEFINITION, ...own }) {};
}

export interface Within {
  readonly manager?: EntityManager;
}

/** A call: of a session that is valid, in a transaction where there is one. */
export interface Call {
  readonly run: (sessions: Sessions, session: Session, within: Within) => Promise<unknown>;
  /** Whether it writes nothing. */
  readonly reads?: true;
  /** Whether it takes no transaction. */
  readonly alone?: true;
  /** Whether it reads nothing of the table. */
  readonly catalogue?: true;
}
export type Session = SessionOf<Sessions> & { readonly authToken: string };

const of = ({ userId }: Session): { userId: string } => ({ userId });

/** Every call of the service, and of its queries. */
export const CALLS: Readonly<Record<string, Call>> = {
  // Each of another owner, so that none waits for another one.
  create: { run: (sessions, _, within) => sessions.create({ userId: 'bea' }, within) },
  signIn: { run: (sessions, session, within) => sessions.signIn({ userId: 'cid' }, { ...within, replaces: session }) },
  authenticate: { reads: true, run: (sessions, { authToken }, within) => sessions.authenticate(authToken, within) },
  get: { reads: true, run: (sessions, { id }, within) => sessions.get({ id }, within) },
  getOrFail: { reads: true, run: (sessions, { id }, within) => sessions.getOrFail({ id }, within) },
  list: { reads: true, run: (sessions, session, within) => sessions.list(of(session), within) },
  listValid: { reads: true, run: (sessions, session, within) => sessions.listValid(of(session), within) },
  dataOf: { reads: true, run: (sessions, session, within) => sessions.dataOf(session, within) },
  count: { reads: true, alone: true, run: (sessions, session) => sessions.count(of(session)) },
  refresh: { reads: true, run: (sessions, session, within) => sessions.refresh(session, within) },
  expire: { run: (sessions, session, within) => sessions.expire(session, within) },
  revoke: { run: (sessions, session, within) => sessions.revoke(session, within) },
  revokeAll: {
    run: (sessions, session, within) => sessions.revokeAll(of(session), { ...within, reason: 'credentials_changed' }),
  },
  revokeOthers: { run: (sessions, session, within) => sessions.revokeOthers(session, of(session), within) },
  rotate: { run: (sessions, session, within) => sessions.rotate(session, within) },
  reauthenticate: { run: (sessions, session, within) => sessions.reauthenticate(session, within) },
  update: { run: (sessions, session, within) => sessions.update(session, { userId: 'other' }, within) },
  patchData: { run: (sessions, session, within) => sessions.patchData(session, { key: 1 }, within) },
  delete: { run: (sessions, session, within) => sessions.delete(session, within) },
  deleteOrFail: { run: (sessions, session, within) => sessions.deleteOrFail(session, within) },
  deleteAll: { run: (sessions, session, within) => sessions.deleteAll(of(session), within) },
  deleteExpired: { alone: true, run: (sessions) => sessions.deleteExpired() },
  doctor: { reads: true, alone: true, catalogue: true, run: (sessions) => sessions.doctor() },
  takeOnce: { run: (sessions, { authToken }, within) => sessions.takeOnce({ authToken }, within) },
  'query.all': { reads: true, run: (sessions, session, within) => sessions.query(of(session), within).all() },
  'query.one': { reads: true, run: (sessions, session, within) => sessions.query(of(session), within).one() },
  'query.count': { reads: true, run: (sessions, session, within) => sessions.query(of(session), within).count() },
  'query.delete': { run: (sessions, session, within) => sessions.query(of(session), within).delete() },
  'query.revoke': {
    run: (sessions, session, within) => sessions.query(of(session), within).revoke({ reason: 'signed_out' }),
  },
  'query.stream': {
    reads: true,
    async run(sessions, session, within) {
      for await (const _ of sessions.query(of(session), within).stream());
    },
  },
};

/** Listening, steps of a query, and what else asks for nothing. */
export const ASK_NOTHING = [
  'eventsOf',
  'query',
  ...['filter', 'filterBy', 'order', 'relations', 'skip', 'take', 'toQueryBuilder'].map((name) => `query.${name}`),
];
