const SETTERS = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'));

function refuse(): never {
  throw new TypeError(
    'A date of a session cannot be changed where its table has a near cache: change a copy, new Date(session.createdAt).',
  );
}

const FIXED = Object.fromEntries(SETTERS.map((name) => [name, { value: refuse }]));

/** Fixes a date, so that many may share it: whoever wants to change it is told to take a copy. */
export function fixDate(date: Date): void {
  if (!Object.hasOwn(date, 'setTime')) Object.defineProperties(date, FIXED);
}
