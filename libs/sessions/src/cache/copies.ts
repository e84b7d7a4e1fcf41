import type { Column } from '../adapters/columns.js';
import type { BaseSession } from '../session.js';
import { fixDate } from './fixed-date.js';

type Copy = (value: unknown) => unknown;
type Values = Record<string, unknown>;

/**
 * Copies of the sessions of a table, which share nothing that could be changed. Dates are fixed and shared: to make three
 * of them costs half as much as all the rest of a hit.
 */
export class SessionCopies {
  readonly #dates: string[] = [];
  readonly #names: string[] = [];
  readonly #copies: Copy[] = [];

  constructor(columns: Iterable<Column>) {
    for (const { property, kind, transformer } of columns) {
      if (transformer) this.#add(property, (value) => transformer.from(copyJson(transformer.to(value))));
      else if (kind === 'timestamp') this.#dates.push(property);
      else if (kind === 'json') this.#add(property, copyJson);
    }
  }

  #add(name: string, copy: Copy): void {
    this.#names.push(name);
    this.#copies.push(copy);
  }

  /** Fixes the dates of a session, which its copies share. */
  fix(session: BaseSession): void {
    for (const name of this.#dates) {
      const date = (session as BaseSession & Values)[name];
      if (date instanceof Date) fixDate(date);
    }
  }

  of(session: BaseSession): BaseSession {
    const copied: BaseSession & Values = { ...session };
    // Without an iterator, for every request comes here.
    for (let i = 0; i < this.#names.length; i++) {
      const name = this.#names[i]!;
      copied[name] = this.#copies[i]!(copied[name]);
    }
    return copied;
  }
}

function copyJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return new Date(value.getTime());
  if (Array.isArray(value)) return value.map(copyJson);
  const copy: Values = {};
  for (const key of Object.keys(value)) {
    const inner = copyJson((value as Values)[key]);
    // To assign it would set the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value: inner, enumerable: true });
    else copy[key] = inner;
  }
  return copy;
}
