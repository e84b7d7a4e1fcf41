import { reasonOf } from './reason-of.js';

/**
 * Base of every error of this library. `code` never changes between releases; `statusCode`, where there is one, is the
 * status that Nest's own exception filter answers with when the error leaves a controller uncaught.
 */
export abstract class SessionsError extends Error {
  abstract readonly code: string;
  readonly statusCode?: number;
  /** That the message is for the client too: with `status` and `statusCode` what Nest's filter takes for an HTTP error. */
  readonly expose: boolean = true;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  get status(): number | undefined {
    return this.statusCode;
  }
}

/** The problem with each field, by the field's name. */
export type FieldErrors = Readonly<Record<string, string>>;

/** Attributes or filters that the table does not accept; nothing was written. `errors` names the problem of each field. */
export class SessionValidationError extends SessionsError {
  readonly code = 'ERR_SESSION_INVALID';
  override readonly statusCode = 400;

  constructor(
    readonly table: string,
    readonly errors: FieldErrors,
  ) {
    const problems = Object.entries(errors).map(([field, problem]) => `${field} ${problem}`);
    super(`Table "${table}": ${problems.join('; ')}.`);
  }
}

/** No session matched where one had to. */
export class SessionNotFoundError extends SessionsError {
  readonly code = 'ERR_SESSION_NOT_FOUND';
  override readonly statusCode = 404;

  constructor(readonly table: string) {
    super(`Table "${table}": no session matches.`);
  }
}

/** More than one session matched where at most one may. */
export class MultipleSessionsError extends SessionsError {
  readonly code = 'ERR_SESSION_NOT_UNIQUE';

  constructor(readonly table: string) {
    super(`Table "${table}": more than one session matches; narrow the filters, or use list().`);
  }
}

/** The session was deleted, or ended, since it was read; nothing was written. */
export class StaleSessionError extends SessionsError {
  readonly code = 'ERR_SESSION_STALE';
  override readonly statusCode = 409;

  constructor(
    readonly table: string,
    readonly id: string,
    options?: ErrorOptions,
  ) {
    super(`Table "${table}": session ${id} no longer exists, or is no longer valid.`, options);
  }
}

/** The owner has as many sessions as the table allows, and its limit says to refuse one more; nothing was written. */
export class SessionLimitError extends SessionsError {
  readonly code = 'ERR_SESSION_LIMIT';
  override readonly statusCode = 409;

  constructor(
    readonly table: string,
    /** The field that names the owner. */
    readonly field: string,
    readonly max: number,
  ) {
    super(`Table "${table}": this ${field} has ${max} valid sessions, which is the limit; end one of them first.`);
  }
}

/**
 * The proof of a sign-in began before the credentials of its owner were last changed, or is older than a day; nothing was
 * written. Who signs in proves again who they are.
 */
export class StaleCredentialsError extends SessionsError {
  readonly code = 'ERR_SESSION_CREDENTIALS';
  override readonly statusCode = 409;

  constructor(
    readonly table: string,
    /** The field that names the owner. */
    readonly field: string,
  ) {
    super(
      `Table "${table}": the credentials of this ${field} have changed since the proof began, or it is older than a day; prove again.`,
    );
  }
}

/**
 * The storage cannot answer now, and may the next time: nothing is known to have been written. The message names the
 * table, what was waited for, and the way out.
 */
export class SessionsUnavailableError extends SessionsError {
  readonly code = 'ERR_SESSION_UNAVAILABLE';
  override readonly statusCode = 503;

  constructor(
    readonly table: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`Table "${table}": ${problem}`, options);
  }
}

/** An adapter's update or delete found no row to work on. */
export class StaleEntryError extends SessionsError {
  readonly code = 'ERR_STALE_ENTRY';
  override readonly statusCode = 409;

  constructor(readonly table: string) {
    super(`Table "${table}": no row matches the filters of this update or delete.`);
  }
}

/** A value of a row cannot be made into what the application has: its transformer throws, or it is no JSON. Other rows can. */
export class UnreadableRowError extends SessionsError {
  readonly code = 'ERR_ROW_UNREADABLE';

  constructor(
    readonly table: string,
    readonly column: string,
    /** The row's primary key, as far as it was read. */
    readonly key: Readonly<Record<string, unknown>>,
    options: { readonly cause: unknown },
  ) {
    const row = Object.entries(key).map(([name, value]) => `${name} ${String(value)}`);
    super(
      `Table "${table}": ${column} of the row with ${row.join(', ') || 'no key'} cannot be read: ${reasonOf(options.cause)}`,
      options,
    );
  }
}

/** A primary key or a unique index already holds these values; nothing was written. `columns` are property names. */
export class UniqueConstraintError extends SessionsError {
  readonly code = 'ERR_UNIQUE_CONSTRAINT';
  override readonly statusCode = 409;

  constructor(
    readonly table: string,
    readonly columns: readonly string[],
  ) {
    super(`Table "${table}": a row with the same ${columns.join(', ') || 'unique value'} exists already.`);
  }
}

/** A query that this port does not run; the message names the part and the way out. */
export class UnsupportedQueryError extends SessionsError {
  readonly code = 'ERR_QUERY_UNSUPPORTED';
}

/** Options that cannot work; `problems` lists all of them, not only the first. */
export class SessionsConfigError extends SessionsError {
  readonly code = 'ERR_SESSIONS_CONFIG';

  constructor(readonly problems: readonly string[]) {
    super(['nest-sessions cannot work as it is set up:', ...problems.map((problem) => `  - ${problem}`)].join('\n'));
  }
}
