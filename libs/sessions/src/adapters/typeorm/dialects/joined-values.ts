import type { ValuesByRow } from './dialect.js';

/** The names of joined values. No column has such a name. */
export const valueName = (index: number): string => `nest_sessions_${index}`;

/** Values that are joined as a table with the columns from `write`. */
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
