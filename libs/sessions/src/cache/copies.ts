import type { Column } from '../adapters/columns.js';
import type { BaseSession } from '../session.js';

/** Makes a copy of a session that shares nothing with it that could be changed. */
export type CopySession = (session: BaseSession) => BaseSession;

type Copy = (value: unknown) => unknown;

/** The copying of sessions with these columns. */
export function copySessionWith(columns: Iterable<Column>): CopySession {
  const names: string[] = [];
  const copies: Copy[] = [];
  for (const column of columns) {
    const copy = copyFor(column);
    if (copy) {
      names.push(column.property);
      copies.push(copy);
    }
  }
  return (session) => {
    const copied: BaseSession & Record<string, unknown> = { ...session };
    // Without an iterator, for every request comes here.
    for (let i = 0; i < names.length; i++) copied[names[i]!] = copies[i]!(copied[names[i]!]);
    return copied;
  };
}

/** How a column's values are copied; not at all where nobody can change them. */
function copyFor({ kind, transformer }: Column): Copy | undefined {
  if (transformer) return (value) => transformer.from(copyJson(transformer.to(value)));
  if (kind === 'timestamp') return (value) => value && new Date((value as Date).getTime());
  return kind === 'json' ? copyJson : undefined;
}

function copyJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return new Date(value.getTime());
  if (Array.isArray(value)) return value.map(copyJson);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const inner = copyJson((value as Record<string, unknown>)[key]);
    // To assign it would set the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: inner, enumerable: true });
    else copy[key] = inner;
  }
  return copy;
}
