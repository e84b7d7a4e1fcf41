import type { Column } from '../port/columns.js';
import type { Condition } from './conditions.js';

export type Compared<C extends Column> = Extract<Condition<C>, { kind: 'compare' }>;

/**
 * The comparisons in alternatives of which only the one for the first non-null column can hold: `a > 1`, or `a` is null
 * and `b > 2`, or both are null and `c > 3`. `undefined` for alternatives of another form.
 */
export function fallbacksIn<C extends Column>(alternatives: readonly Condition<C>[]): Compared<C>[] | undefined {
  const comparisons: Compared<C>[] = [];
  for (const alternative of alternatives) {
    const parts = alternative.kind === 'and' ? alternative.parts : [alternative];
    if (parts.length !== comparisons.length + 1) return undefined;
    const last = parts.at(-1)!;
    const before = comparisons.every(({ subject }, i) => isNull(parts[i]!, subject.column));
    if (!before || last.kind !== 'compare' || last.subject.path) return undefined;
    comparisons.push(last);
  }
  return comparisons;
}

function isNull<C extends Column>(part: Condition<C>, column: C): boolean {
  return part.kind === 'null' && part.subject.column === column && !part.subject.path;
}
