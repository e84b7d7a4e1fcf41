import { DATE_FROZEN } from './messages.js';

const SETTERS = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'));

function refuse(): never {
  throw new TypeError(DATE_FROZEN);
}

/** Shared by all frozen dates: own properties would take more memory than the rest of a session. */
const FROZEN = Object.create(
  Date.prototype,
  Object.fromEntries(SETTERS.map((name) => [name, { value: refuse }])),
) as Date;

/** Freezes a date, so that it can be shared. Changing it throws an error that says to take a copy. */
export function freezeDate(date: Date): void {
  if (Object.getPrototypeOf(date) === Date.prototype) Object.setPrototypeOf(date, FROZEN);
}

/** Creates a date that can be shared. */
export function frozenDate(ms: number): Date {
  const date = new Date(ms);
  freezeDate(date);
  return date;
}
