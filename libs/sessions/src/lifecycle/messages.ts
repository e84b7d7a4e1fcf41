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

export const tooMany = (most: number): string => `${most} sessions wait for it, so the oldest are dropped`;

export const LEFT_AT_CLOSE = 'the application stops';

/** @param statement that adds the column */
export const noFixedEnds = (statement: string): string =>
  `it has no column that marks ends set with expiresAt as fixed, so use moves them like all others. To add it: ${statement}`;

export const endUnreadable = (column: string, id: string): string =>
  `${column} of the session ${id} cannot be read as a time, so the session counts as ended`;

export const notAsked = (reason: string): string =>
  `connections of its sessions stay open, because the database cannot be asked about them: ${reason}`;

// Problems with a definition.
export const ownerNeeded = (table: string): string =>
  inTable(
    table,
    `signIn() with provedAt needs owner: 'userId' in its definition, the extra field that says whose session it is`,
  );

// Why a lookup has no answer.
export const LOOK_UPS_FAIL =
  'its lookups fail one after the other, so they get 503 at once until one succeeds; one is tried every 250 ms';

/** @param timeoutMs the timeout of a lookup */
export const lookUpRefused = (why: Refusal, timeoutMs: number): string => {
  switch (why) {
    case 'time':
      return `its lookup has had no answer for ${timeoutMs} ms (lookUps.timeout): the table is locked, or the database does not answer.`;
    case 'waiting':
      return 'too many lookups wait for the database (lookUps.maxWaiting).';
    case 'failing':
      return 'its lookups fail one after the other, so this one was not sent; one is tried every 250 ms.';
  }
};
