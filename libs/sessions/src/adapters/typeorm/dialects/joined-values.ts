import type { ValuesByRow } from './dialect.js';

/** What the values of rows are called that a table is joined with: no column is. */
export const valueName = (index: number): string => `nest_sessions_${index}`;

/** Values that are joined as a table, by the columns of which `write` makes it. */
export function joinedValues<C>(
  columnOf: (...value: Parameters<ValuesByRow['value']>) => C,
  write: (columns: readonly C[]) => string,
): ValuesByRow & { from(): string } {
  const columns: C[] = [];
  return {
    value: (...value) => valueName(columns.push(columnOf(...value)) - 1),
    from: () => write(columns),
  };
}
