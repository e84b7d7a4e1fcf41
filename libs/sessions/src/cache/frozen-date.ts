import { DATE_FROZEN } from './messages.js';

const SETTERS = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'));

function refuse(): never {
  throw new TypeError(DATE_FROZEN);
}

/** Shared by all frozen dates: properties of their own would take more memory than all else of a session. */
const FROZEN = Object.create(
  Date.prototype,
  Object.fromEntries(SETTERS.map((name) => [name, { value: refuse }])),
) as Date;

/** Freezes a date, so that many may share it: a change of it is an error that says to take a copy. */
export function freezeDate(date: Date): void {
  if (Object.getPrototypeOf(date) === Date.prototype) Object.setPrototypeOf(date, FROZEN);
}

/** A date that many may share. */
export function frozenDate(ms: number): Date {
  const date = new Date(ms);
  freezeDate(date);
  return date;
}
