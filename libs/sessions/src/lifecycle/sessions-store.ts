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

/** An open table, with those of its verbs that remember something from one call to the next. */
export interface SessionsStore extends TableContext {
  /** What comes with requests. */
  readonly tokens: Authenticator;
  readonly extender: Extender;
  /** Where the uses of sessions are noted, if the table keeps them. */
  readonly lastUse: LastUse | undefined;
  /** What is open because sessions are valid. */
  readonly held: HeldSessions;
  /** What the application keeps with a session; `undefined` where that is gone. */
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
