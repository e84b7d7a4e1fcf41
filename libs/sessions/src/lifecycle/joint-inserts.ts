import type { Row, Schema } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { isOutage } from '../errors/outages.js';
import type { SessionsTableDefinition } from '../table/definition.js';
import { Coalescer } from '../util/coalescer.js';

/**
 * Inserts that share statements, and read nothing back. Those that arrive while others are under way go as one
 * statement; a lone one never waits. If a statement fails, each of its rows goes alone, so that only one caller gets
 * the error of its row. `undefined` if a row may have to wait for a transaction of the application, and others with it.
 */
export function jointInserts(
  adapter: SessionsAdapter,
  entity: Schema,
  { extraFields = {} }: SessionsTableDefinition,
): Coalescer<Row, unknown> | undefined {
  const mayWait = Object.values(extraFields).some((field) => !('type' in field) || field.unique === true);
  if (!adapter.insertAll || mayWait) return undefined;
  return new Coalescer<Row, unknown>({
    sendOne: (row) => adapter.insert(entity, row, { returning: [], keepPrepared: 'create' }),
    send: async (rows) => {
      await adapter.insertAll!(entity, rows, { keepPrepared: 'create' });
      return rows;
    },
    concernsAll: isOutage,
  });
}
