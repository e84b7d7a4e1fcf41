import { newId } from '../../util/uuid.js';
import { SessionValidationError } from '../../errors/errors.js';
import { IS_REQUIRED } from '../../errors/messages.js';
import type { Row } from '../port/query.js';
import { storedRow } from '../query/rows.js';
import { isText } from '../port/columns.js';
import { canonical } from '../query/values.js';
import type { EntityModel } from './entity-model.js';
import type { MemoryTable } from './memory-table.js';
import { encoded } from './stored-row.js';

/**
 * The values of a new row, including the entity's defaults.
 *
 * @throws SessionValidationError for missing and invalid values
 */
export function newValues(table: MemoryTable, model: EntityModel, row: Row): unknown[] {
  const stored = storedRow(model, row);
  const missing: Record<string, string> = {};
  // Not Array.from, which allocates room for ten more values.
  const values = [...model.columns.values()].map((column) => {
    if (stored.has(column)) return encoded(column, stored.get(column));
    const generated = model.generated.get(column);
    if (generated) {
      const made = generated === 'id' ? table.nextId() : newId(Date.now());
      return encoded(column, canonical(column, isText(column) ? String(made) : made));
    }
    const fallback = model.defaultOf(column);
    if (!fallback) missing[column.property] = IS_REQUIRED;
    return encoded(column, fallback ? canonical(column, fallback()) : null);
  });
  if (Object.keys(missing).length > 0) throw new SessionValidationError(model.name, missing);
  return values;
}
