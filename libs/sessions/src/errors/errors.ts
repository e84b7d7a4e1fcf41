import {
  cannotWork,
  credentialsChanged,
  IS_TAKEN,
  limitReached,
  NO_MATCH,
  NO_ROW,
  ofTable,
  problemsOf,
  rowUnreadable,
  sessionOver,
  SEVERAL_MATCH,
  TOLD_CREDENTIALS_CHANGED,
  TOLD_NO_MATCH,
  TOLD_NO_ROW,
  TOLD_SESSION_OVER,
  TOLD_UNAVAILABLE,
  TOLD_VALUE_TAKEN,
  toldLimitReached,
  valueTaken,
} from './messages.js';
import { reasonOf } from './reason-of.js';
import {
  type FieldErrors,
  recognize,
  SessionsError,
  type SessionsErrorCode,
  SessionsHttpError,
} from './sessions-error.js';

export { type FieldErrors, SessionsError, type SessionsErrorCode } from './sessions-error.js';

/** The table does not accept the attributes, filters or options of a call. Nothing was written. 400 Bad Request. */
export class SessionValidationError extends SessionsHttpError<'ERR_SESSION_INVALID'> {
  constructor(
    table: string,
    /** The problem with each field, by the field's name. */
    readonly errors: FieldErrors,
  ) {
    const told = problemsOf(errors);
    super({ code: 'ERR_SESSION_INVALID', statusCode: 400, table, problem: told, told, errors });
  }
}

/** No session matches, but one has to. 404 Not Found. */
export class SessionNotFoundError extends SessionsHttpError<'ERR_SESSION_NOT_FOUND'> {
  constructor(table: string) {
    super({ code: 'ERR_SESSION_NOT_FOUND', statusCode: 404, table, problem: NO_MATCH, told: TOLD_NO_MATCH });
  }
}

/** More than one session matches, though at most one may. */
export class MultipleSessionsError extends SessionsError {
  /** The code of filters that match too much. */
  readonly code = 'ERR_SESSION_NOT_UNIQUE';

  constructor(
    /** The name of the table. */
    readonly table: string,
  ) {
    super(ofTable(table, SEVERAL_MATCH));
  }
}

/** The session was deleted or has ended since it was read. Nothing was written. 409 Conflict. */
export class StaleSessionError extends SessionsHttpError<'ERR_SESSION_STALE'> {
  constructor(
    table: string,
    /** The `id` of the session. */
    readonly id: string,
    options: ErrorOptions = {},
  ) {
    const problem = sessionOver(id);
    super({ code: 'ERR_SESSION_STALE', statusCode: 409, table, problem, told: TOLD_SESSION_OVER, ...options });
  }
}

/**
 * The owner has as many sessions as the table allows, and the limit rejects one more; nothing was written. 409 Conflict.
 */
export class SessionLimitError extends SessionsHttpError<'ERR_SESSION_LIMIT'> {
  constructor(
    table: string,
    /** The field that names the owner. */
    readonly field: string,
    /** The most valid sessions that an owner may have. */
    readonly max: number,
  ) {
    const problem = limitReached(field, max);
    super({ code: 'ERR_SESSION_LIMIT', statusCode: 409, table, problem, told: toldLimitReached(max) });
  }
}

/**
 * The proof of a sign-in began before the credentials of its owner last changed, or is more than a day old, so the owner has
 * to prove again who they are; nothing was written. 409 Conflict.
 */
export class StaleCredentialsError extends SessionsHttpError<'ERR_SESSION_CREDENTIALS'> {
  constructor(
    table: string,
    /** The field that names the owner. */
    readonly field: string,
  ) {
    const problem = credentialsChanged(field);
    super({ code: 'ERR_SESSION_CREDENTIALS', statusCode: 409, table, problem, told: TOLD_CREDENTIALS_CHANGED });
  }
}

/**
 * The storage cannot answer now, but may the next time; as far as is known, nothing was written. The message names the
 * table, what the call waited for, and the way out. 503 Service Unavailable.
 */
export class SessionsUnavailableError extends SessionsHttpError<'ERR_SESSION_UNAVAILABLE'> {
  /** The seconds after which a client may try again; the `Retry-After` of the answer. */
  readonly retryAfter: number;

  /** @param options `retryAfter` in seconds; one by default */
  constructor(table: string, problem: string, options: ErrorOptions & { readonly retryAfter?: number } = {}) {
    const { cause, retryAfter = 1 } = options;
    super({ code: 'ERR_SESSION_UNAVAILABLE', statusCode: 503, table, problem, told: TOLD_UNAVAILABLE, cause });
    this.retryAfter = retryAfter;
  }
}

/** An adapter's update or delete found no row. 409 Conflict. */
export class StaleEntryError extends SessionsHttpError<'ERR_STALE_ENTRY'> {
  constructor(table: string) {
    super({ code: 'ERR_STALE_ENTRY', statusCode: 409, table, problem: NO_ROW, told: TOLD_NO_ROW });
  }
}

/** A value of a row cannot be loaded: its transformer throws, or it is no JSON. Other rows can be. */
export class UnreadableRowError extends SessionsError {
  /** The code of a row that cannot be read. */
  readonly code = 'ERR_ROW_UNREADABLE';

  constructor(
    /** The name of the table. */
    readonly table: string,
    /** The property of the column that holds the value. */
    readonly column: string,
    /** The row's primary key, as far as it could be read. */
    readonly key: Readonly<Record<string, unknown>>,
    options: { readonly cause: unknown },
  ) {
    super(ofTable(table, rowUnreadable(column, key, reasonOf(options.cause))), options);
  }
}

/** A primary key or a unique index already holds these values. Nothing was written. 409 Conflict. */
export class UniqueConstraintError extends SessionsHttpError<'ERR_UNIQUE_CONSTRAINT'> {
  /**
   * @param columns the properties of the columns whose values are taken
   * @param shown those of them that a client may know
   */
  constructor(
    table: string,
    /** The properties of the columns whose values are taken. */
    readonly columns: readonly string[],
    shown = columns,
  ) {
    super({
      code: 'ERR_UNIQUE_CONSTRAINT',
      statusCode: 409,
      table,
      problem: valueTaken(columns),
      told: TOLD_VALUE_TAKEN,
      errors: Object.fromEntries(shown.map((column) => [column, IS_TAKEN])),
    });
  }
}

/** The adapter does not support this query; the message names the part, and the way out. */
export class UnsupportedQueryError extends SessionsError {
  /** The code of an unsupported query. */
  readonly code = 'ERR_QUERY_UNSUPPORTED';
}

/** The options of the application cannot work. The message lists all problems at once. */
export class SessionsConfigError extends SessionsError {
  /** The code of options that cannot work. */
  readonly code = 'ERR_SESSIONS_CONFIG';

  constructor(
    /** Every problem, as a sentence that names its place. */
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(cannotWork(problems), options);
  }
}

const CLASSES = {
  ERR_SESSION_INVALID: SessionValidationError,
  ERR_SESSION_NOT_FOUND: SessionNotFoundError,
  ERR_SESSION_NOT_UNIQUE: MultipleSessionsError,
  ERR_SESSION_STALE: StaleSessionError,
  ERR_SESSION_LIMIT: SessionLimitError,
  ERR_SESSION_CREDENTIALS: StaleCredentialsError,
  ERR_SESSION_UNAVAILABLE: SessionsUnavailableError,
  ERR_STALE_ENTRY: StaleEntryError,
  ERR_ROW_UNREADABLE: UnreadableRowError,
  ERR_UNIQUE_CONSTRAINT: UniqueConstraintError,
  ERR_QUERY_UNSUPPORTED: UnsupportedQueryError,
  ERR_SESSIONS_CONFIG: SessionsConfigError,
} satisfies Record<SessionsErrorCode, object>;

// Class names may be minified; codes are not.
for (const [code, errorClass] of Object.entries(CLASSES)) recognize(errorClass, (error) => error.code === code);
