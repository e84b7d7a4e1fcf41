import { isClass, isObject, tagOf } from './option-types.js';

// Prefixes that say whose problem it is.
/** The prefix of log lines and errors of calls. */
export const ofTable = (table: string, problem: string): string => `Table "${table}": ${problem}`;

/** The prefix of log lines about a data source. */
export const ofDataSource = (name: string, problem: string): string => `Data source "${name}": ${problem}`;

/** The prefix of one problem among others in an application's set-up. */
export const inTable = (table: string, problem: string): string => `table "${table}": ${problem}`;

// Texts for logs.

export const problemsOf = (errors: Readonly<Record<string, string>>): string =>
  `${Object.entries(errors)
    .map(([field, problem]) => `${field} ${problem}`)
    .join('; ')}.`;

export const NO_MATCH = 'no session matches.';
export const SEVERAL_MATCH = 'more than one session matches; narrow the filters, or use list().';
export const NO_ROW = 'no row matches the filters of this update or delete.';

export const sessionOver = (id: string): string => `session ${id} no longer exists, or is no longer valid.`;

export const limitReached = (field: string, max: number): string =>
  `this ${field} has ${max} valid sessions, which is the limit; end one of them first.`;

export const credentialsChanged = (field: string): string =>
  `the credentials of this ${field} have changed since the proof began, or it is older than a day; prove again.`;

export const valueTaken = (columns: readonly string[]): string =>
  `a row with the same ${columns.join(', ') || 'unique value'} exists already.`;

export const rowUnreadable = (column: string, key: Readonly<Record<string, unknown>>, reason: string): string => {
  const row = Object.entries(key).map(([name, value]) => `${name} ${String(value)}`);
  return `${column} of the row with ${row.join(', ') || 'no key'} cannot be read: ${reason}`;
};

export const cannotWork = (problems: readonly string[]): string =>
  ['nest-sessions cannot work as it is set up:', ...problems.map((problem) => `  - ${problem}`)].join('\n');

// Texts for clients.
export const TOLD_NO_MATCH = 'There is no such session.';
export const TOLD_SESSION_OVER = 'The session has ended, or has been changed by another request.';
export const TOLD_CREDENTIALS_CHANGED = 'The credentials have changed, or the sign-in took too long: sign in again.';
export const TOLD_UNAVAILABLE = 'That cannot be answered right now: try again.';
export const TOLD_NO_ROW = 'What was to be changed is not there.';
export const TOLD_VALUE_TAKEN = 'A value that has to be unique is taken.';
export const IS_TAKEN = 'is taken';
export const IS_REQUIRED = 'is required';
export const IS_NO_OBJECT = 'must be an object';
export const NO_ORDER = "must be an object, such as { createdAt: 'DESC' }";
export const NO_RELATIONS = "must be a list, such as ['user'], or an object";
export const NO_CONDITIONS = 'must be an object with conditions of its own, or a list of such objects';
export const NOT_NULL = 'must not be null';

export const tooManyBytes = (most: number): string => `must have at most ${most} bytes as JSON (maxDataSize)`;

export const toldLimitReached = (max: number): string =>
  `There are ${max} sessions already, which is the limit: end one of them first.`;

// Problems with options.
export const NO_OBJECT = 'must be an object of options';

export const noOption = (hint: string): string => `is no option ${hint}`;

export const didYouMean = (name: string): string => `(did you mean ${name}?)`;

/** @param what the text after "must be" */
export const wrongType = (what: string, given: unknown): string => `must be ${what}, not ${kindOf(given)}`;

/** The problem with a value that is an object, but of another kind, such as a promise. */
export const unlike = (problem: string, given: unknown): string =>
  isObject(given) && tagOf(given) !== 'Object' ? `${problem}, not ${kindOf(given)}` : problem;

/** The value itself if it is short and plain, else its kind. */
export const shown = (given: unknown): string => {
  if (typeof given === 'string') return JSON.stringify(given);
  return typeof given === 'number' || typeof given === 'boolean' ? String(given) : kindOf(given);
};

/** The existing names, for a caller that gave another one. */
export const thereAre = (names: readonly string[]): string =>
  names.length === 0 ? '(there are none)' : `(there are: ${names.join(', ')})`;

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'function' && isClass(value)) return 'a class';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const tag = tagOf(value);
  return tag === 'Object' ? 'an object' : tag === 'Promise' ? 'a promise, which has to be awaited' : `a ${tag}`;
}
