import type { Column } from '../port/columns.js';
import type { ColumnFacts } from '../port/table-facts.js';
import { valuesFrom } from './values-from.js';

/**
 * A column in the form that its table has it in, from which the dialect makes its codec: as the definition says, and where that
 * says nothing as the catalogue does.
 *
 * @param facts none where the table was not looked at, is not there, or lacks the column
 */
export function columnFrom(column: Column, facts: ColumnFacts | undefined): Column {
  return facts ? { ...column, ...valuesFrom(column, facts) } : column;
}
