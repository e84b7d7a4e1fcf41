import type { EntityManager } from 'typeorm';
import type { HeldSessions } from '../live/held-sessions.js';
import type { ResolvedLive } from '../options/resolved-options.js';
import { lastUseOf } from '../table/definition.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { Authenticator } from './authenticate.js';
import { Extender } from './extend.js';
import { heldSessions } from './held-ends.js';
import { LastUse } from './last-use.js';
import { dataReader } from './read-session.js';
import { type TableContext, tableContext, type TableOpening } from './table-context.js';

/** An open table, with the operations that keep state between calls. */
export interface SessionsStore extends TableContext {
  /** Authenticates the tokens of requests. */
  readonly tokens: Authenticator;
  readonly extender: Extender;
  /** Records uses of sessions, if the table keeps them. */
  readonly lastUse: LastUse | undefined;
  /** The open connections that end with their sessions. */
  readonly held: HeldSessions;
  /** Reads the `data` of a session; `undefined` if the session is gone. */
  readonly dataOf: (id: string, manager?: EntityManager) => MaybePromise<Record<string, unknown> | undefined>;
}

export function openStore(opening: TableOpening, live: ResolvedLive): SessionsStore {
  const table = tableContext(opening);
  const extender = new Extender(table);
  const kept = lastUseOf(table.definition);
  const lastUse = kept && new LastUse(table, kept);
  const tokens = new Authenticator(table, extender, lastUse);
  const held = heldSessions(table, live, opening.warn);
  return { ...table, extender, lastUse, tokens, held, dataOf: dataReader(table) };
}
