import type { Row, Schema } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { isOutage } from '../errors/outages.js';
import type { SessionsTableDefinition } from '../table/definition.js';
import { Coalescer } from '../util/coalescer.js';

/**
 * New rows that travel together, of which nothing is read back: those that come while some are under way go as one statement, and one
 * that comes alone waits for nothing. Every row of a statement that failed goes alone, so that what is wrong with one is told to its
 * caller only. None where a row may have to wait for a transaction of the application, and others with it.
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
