import type { Comparison } from '../query/conditions.js';
import type { Compared } from '../query/fallbacks.js';
import type { SqlColumn } from './sql-table.js';

/** An end of the steps that a comparison covers, and how to compute it from the compared value. */
type Bound = readonly ['>=' | '<', (stored: unknown) => unknown];

/** A comparison of times in which each value stands for the whole step that it starts. */
export function boundsOf(stepMs: number, op: Comparison): readonly Bound[] {
  const moved = (steps: (time: number) => number) => (stored: unknown) =>
    stored instanceof Date ? new Date(steps(stored.getTime() / stepMs) * stepMs) : stored;
  const atOrAfter = moved(Math.ceil);
  const after = moved((time) => Math.floor(time) + 1);
  const bounds: Readonly<Record<Comparison, readonly Bound[]>> = {
    '=': [
      ['>=', atOrAfter],
      ['<', after],
    ],
    '>': [['>=', after]],
    '>=': [['>=', atOrAfter]],
    '<': [['<', atOrAfter]],
    '<=': [['<', after]],
  };
  return bounds[op];
}

/** A test that a value is a time, next to a comparison with its column; `undefined` if none is needed. */
export function timeTest({
  subject: { column, path },
  op,
}: Compared<SqlColumn>): ((sql: string) => string) | undefined {
  return op === '>' && !path ? column.codec.isTime : undefined;
}

/** The same for the values of several comparisons, if they all have the same test. */
export function commonTimeTest(comparisons: readonly Compared<SqlColumn>[]): ((sql: string) => string) | undefined {
  const tests = comparisons.map(timeTest);
  return new Set(tests.map((isTime) => isTime?.(''))).size === 1 ? tests[0] : undefined;
}
