import { DATE_FROZEN } from './messages.js';

const SETTERS = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'));

function refuse(): never {
  throw new TypeError(DATE_FROZEN);
}

const FROZEN = Object.fromEntries(SETTERS.map((name) => [name, { value: refuse }]));

/** Freezes a date, so that many may share it: a change of it is an error that says to take a copy. */
export function freezeDate(date: Date): void {
  if (!Object.hasOwn(date, 'setTime')) Object.defineProperties(date, FROZEN);
}
