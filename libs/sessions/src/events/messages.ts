import { hint } from '../errors/known-options.js';

/** @param what the source of the events */
export const listenerFailed = (what: string, reason: string): string =>
  `A listener to the events of ${what} threw an error. It stays subscribed, and its further errors are not logged: ${reason}`;

export const noEventType = (unknown: readonly string[], types: readonly string[]): string =>
  unknown.length === 0
    ? `Which events? There are ${types.join(', ')}.`
    : unknown.map((type) => `There is no event ${JSON.stringify(type)} ${hint(type, types)}.`).join(' ');
