import type { PreparedFacts, ServerFacts } from '../adapters/port/table-facts.js';
import { SessionMark } from '../adapters/port/session-mark.js';
import { checkServer, checkTable } from '../table/checks/check-table.js';
import type { Finding } from '../table/checks/finding.js';
import { TABLE_MISSING } from '../table/checks/messages.js';
import type { TableContext } from './table-context.js';

/** What was found about a table of sessions and its database. */
export interface Diagnosis {
  /** Whether there is no problem. */
  readonly ok: boolean;
  /** What cannot work. */
  readonly problems: readonly Finding[];
  /** What is slow, or unwise. */
  readonly warnings: readonly Finding[];
  /** The database and its settings; absent if the adapter cannot check. */
  readonly server?: ServerFacts;
  /** The statements of this table, or of all that share its adapter, that a server keeps prepared; absent if none keeps any. */
  readonly prepared?: PreparedFacts;
}

/** Examines a table as it is now. @throws the driver's error if there is no connection */
export async function examine({ adapter, definition, entity, options }: TableContext): Promise<Diagnosis> {
  if (!adapter.look) return { ok: true, problems: [], warnings: [] };
  const facts = await adapter.look([entity, SessionMark]);
  const found = checkTable({ definition, entity, options }, facts);
  const unread = facts.unread.map((text): Finding => ({ code: 'unread', text }));
  const isMissing = !facts.tables.has(entity) && unread.length === 0;
  const problems = [...found.problems, ...(isMissing ? [{ code: 'tableMissing' as const, text: TABLE_MISSING }] : [])];
  const warnings = [...found.warnings, ...checkServer(facts.server), ...unread];
  const { server, prepared } = facts;
  return { ok: problems.length === 0, problems, warnings, server, ...(prepared && { prepared }) };
}
