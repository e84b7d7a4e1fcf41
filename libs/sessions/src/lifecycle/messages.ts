import { inTable } from '../errors/messages.js';

/** What is written by the way, as the log names it. */
export type Favour = typeof EXTENSION | typeof NEWER_DIGESTS | typeof LAST_USE;

export const EXTENSION = 'the extension of sessions';
export const NEWER_DIGESTS = 'the newer digests of tokens';
export const LAST_USE = 'the last use of sessions';

// What is logged of a table.
export const notWritten = (favour: Favour, reason: string): string => `${favour} cannot be written: ${reason}`;

export const noAnswerWithin = (ms: number): string => `there is no answer within ${ms} ms`;

export const tooMany = (most: number): string => `${most} sessions wait for theirs, so the first ones are given up`;

export const LEFT_AT_CLOSE = 'the application stops';

/** @param statement that adds the column */
export const noFixedEnds = (statement: string): string =>
  `it has no column for ends that are given by expiresAt, so use moves them as all others. To keep them: ${statement}`;

export const endUnreadable = (column: string, id: string): string =>
  `${column} of the session ${id} cannot be read as a time, so that the session is over`;

// What is wrong with a definition.
export const ownerNeeded = (table: string): string =>
  inTable(
    table,
    `signIn() with provedAt needs owner: 'userId' in its definition, the extra field that says whose session it is`,
  );
