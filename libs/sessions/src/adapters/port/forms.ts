import type { ColumnForm } from './columns.js';

/** By entity class, then by property. */
const FORMS = new WeakMap<object, ReadonlyMap<string, ColumnForm>>();

/** Registers, for every adapter, what the columns of an entity hold. */
export function noteForms(entity: object, forms: ReadonlyMap<string, ColumnForm>): void {
  FORMS.set(entity, forms);
}

/** What a column holds; `undefined` if its type says so. */
export function formOf(entity: unknown, property: string): ColumnForm | undefined {
  return typeof entity === 'function' ? FORMS.get(entity)?.get(property) : undefined;
}
