import { In } from 'typeorm';
import type { Row, Schema } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { isOutage } from '../errors/outages.js';
import type { SessionsTableDefinition } from '../table/definition.js';
import { Coalescer } from '../util/coalescer.js';

/**
 * Inserts that share statements, and read nothing back. Those that arrive while others are under way go as one
 * statement; a lone one never waits. If a statement fails, each of its rows goes alone, so that only one caller gets
 * the error of its row. A result of `false` means that the row is not there, and has to go alone. `undefined` if a row
 * may have to wait for a transaction of the application, and others with it.
 */
export function jointInserts(
  adapter: SessionsAdapter,
  entity: Schema,
  { extraFields = {} }: SessionsTableDefinition,
): Coalescer<Row, boolean> | undefined {
  const mayWait = Object.values(extraFields).some((field) => !('type' in field) || field.unique === true);
  if (!adapter.insertAll || mayWait) return undefined;
  const insertAll = async (rows: readonly Row[]): Promise<readonly boolean[]> => {
    const count = await adapter.insertAll!(entity, rows, { keepPrepared: 'create' });
    const areKept = count === rows.length;
    // A trigger made since the start may have dropped some of them, nobody knows which.
    if (!areKept) await adapter.execute(adapter.prepare('deleteAll', entity, { where: { id: In(rows.map(idOf)) } }));
    return rows.map(() => areKept);
  };
  return new Coalescer<Row, boolean>({
    sendOne: async (row) => (await adapter.insert(entity, row, { returning: [], keepPrepared: 'create' })) !== null,
    send: insertAll,
    concernsAll: isOutage,
  });
}

function idOf({ id }: Row): unknown {
  return id;
}
