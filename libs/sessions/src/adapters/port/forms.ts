import type { ColumnForm } from './columns.js';

/** By the class of an entity, and by property. */
const FORMS = new WeakMap<object, ReadonlyMap<string, ColumnForm>>();

/** Notes for every adapter what columns of an entity hold. */
export function noteForms(entity: object, forms: ReadonlyMap<string, ColumnForm>): void {
  FORMS.set(entity, forms);
}

/** What a column holds; `undefined` where its type says so. */
export function formOf(entity: unknown, property: string): ColumnForm | undefined {
  return typeof entity === 'function' ? FORMS.get(entity)?.get(property) : undefined;
}
