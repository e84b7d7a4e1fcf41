import { inTable } from '../errors/messages.js';
import type { Refusal } from '../util/bulkhead.js';

/** The names of best-effort writes in the log. */
export type Favour = typeof EXTENSION | typeof NEWER_DIGESTS | typeof LAST_USE;

export const EXTENSION = 'the extension of sessions';
export const NEWER_DIGESTS = 'the newer digests of tokens';
export const LAST_USE = 'the last use of sessions';

// Texts for the log about a table.
export const notWritten = (favour: Favour, reason: string): string => `${favour} cannot be written: ${reason}`;

export const noAnswerWithin = (ms: number): string => `there is no answer within ${ms} ms`;

export const tooMany = (most: number): string => `${most} sessions wait for theirs, so the first ones are given up`;

export const LEFT_AT_CLOSE = 'the application stops';

/** @param statement that adds the column */
export const noFixedEnds = (statement: string): string =>
  `it has no column for ends that are given by expiresAt, so use moves them as all others. To keep them: ${statement}`;

export const endUnreadable = (column: string, id: string): string =>
  `${column} of the session ${id} cannot be read as a time, so that the session is over`;

export const notAsked = (reason: string): string =>
  `what is open for its sessions stays so, since the database cannot be asked for these: ${reason}`;

// Problems with a definition.
export const ownerNeeded = (table: string): string =>
  inTable(
    table,
    `signIn() with provedAt needs owner: 'userId' in its definition, the extra field that says whose session it is`,
  );

// Why a lookup has no answer.
export const LOOK_UPS_FAIL =
  'its look-ups fail one after the other, so that they are answered with 503 at once until one succeeds; one is tried every 250 ms';

/** @param timeoutMs the timeout of a lookup */
export const lookUpRefused = (why: Refusal, timeoutMs: number): string => {
  switch (why) {
    case 'time':
      return `its look-up has had no answer for ${timeoutMs} ms (lookUps.timeout): the table is locked, or the database does not answer.`;
    case 'waiting':
      return 'as many look-ups wait for the database as may (lookUps.maxWaiting).';
    case 'failing':
      return 'its look-ups fail one after the other, so this one was not sent; one is tried every 250 ms.';
  }
};
