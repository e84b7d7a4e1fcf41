import { reasonOf } from './reason-of.js';

/** The `code` of an error of this library; one that exists never changes between releases. */
export type SessionsErrorCode =
  | 'ERR_SESSION_INVALID'
  | 'ERR_SESSION_NOT_FOUND'
  | 'ERR_SESSION_NOT_UNIQUE'
  | 'ERR_SESSION_STALE'
  | 'ERR_SESSION_LIMIT'
  | 'ERR_SESSION_CREDENTIALS'
  | 'ERR_SESSION_UNAVAILABLE'
  | 'ERR_STALE_ENTRY'
  | 'ERR_ROW_UNREADABLE'
  | 'ERR_UNIQUE_CONSTRAINT'
  | 'ERR_QUERY_UNSUPPORTED'
  | 'ERR_SESSIONS_CONFIG';

/**
 * Base of every error of this library. One that has a `statusCode` is answered with it by Nest's own exception filter when
 * it leaves a controller uncaught.
 *
 * @example
 * ```ts
 * try {
 *   await sessions.create({ userId: 'u1' });
 * } catch (error) {
 *   if (!(error instanceof SessionsError)) throw error;
 *   switch (error.code) {
 *     case 'ERR_SESSION_LIMIT':
 *       throw new ForbiddenException('Sign out on another device first.');
 *     default:
 *       throw error;
 *   }
 * }
 * ```
 */
export abstract class SessionsError extends Error {
  /** What a program tells errors apart by. */
  abstract readonly code: SessionsErrorCode;
  /** The HTTP status of the answer; none for a fault of the application, which Nest answers with 500. */
  readonly statusCode?: number;
  /** Whether the message is for the client too: with `status` and `statusCode` what Nest's filter takes for an HTTP error. */
  readonly expose: boolean = true;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  /** The same as `statusCode`, under the other name that Nest's filter knows. */
  get status(): number | undefined {
    return this.statusCode;
  }
}

/** The problem with each field, by the field's name. */
export type FieldErrors = Readonly<Record<string, string>>;

/** The table does not accept the attributes, filters or options of a call; nothing was written. */
export class SessionValidationError extends SessionsError {
  /** The code of what a table does not accept. */
  readonly code = 'ERR_SESSION_INVALID';
  /** 400 Bad Request. */
  override readonly statusCode = 400;

  constructor(
    /** The name of the table. */
    readonly table: string,
    /** The problem with each field, by the field's name. */
    readonly errors: FieldErrors,
  ) {
    const problems = Object.entries(errors).map(([field, problem]) => `${field} ${problem}`);
    super(`Table "${table}": ${problems.join('; ')}.`);
  }
}

/** No session matches where one has to. */
export class SessionNotFoundError extends SessionsError {
  /** The code of a session that is not there. */
  readonly code = 'ERR_SESSION_NOT_FOUND';
  /** 404 Not Found. */
  override readonly statusCode = 404;

  constructor(
    /** The name of the table. */
    readonly table: string,
  ) {
    super(`Table "${table}": no session matches.`);
  }
}

/** More than one session matches where at most one may. */
export class MultipleSessionsError extends SessionsError {
  /** The code of filters that are too wide. */
  readonly code = 'ERR_SESSION_NOT_UNIQUE';

  constructor(
    /** The name of the table. */
    readonly table: string,
  ) {
    super(`Table "${table}": more than one session matches; narrow the filters, or use list().`);
  }
}

/** The session was deleted, or ended, since it was read; nothing was written. */
export class StaleSessionError extends SessionsError {
  /** The code of a session that is not what it was read as. */
  readonly code = 'ERR_SESSION_STALE';
  /** 409 Conflict. */
  override readonly statusCode = 409;

  constructor(
    /** The name of the table. */
    readonly table: string,
    /** The `id` of the session. */
    readonly id: string,
    options?: ErrorOptions,
  ) {
    super(`Table "${table}": session ${id} no longer exists, or is no longer valid.`, options);
  }
}

/** The owner has as many sessions as the table allows, and its limit says to refuse one more; nothing was written. */
export class SessionLimitError extends SessionsError {
  /** The code of one session too many. */
  readonly code = 'ERR_SESSION_LIMIT';
  /** 409 Conflict. */
  override readonly statusCode = 409;

  constructor(
    /** The name of the table. */
    readonly table: string,
    /** The field that names the owner. */
    readonly field: string,
    /** The number of valid sessions that an owner may have. */
    readonly max: number,
  ) {
    super(`Table "${table}": this ${field} has ${max} valid sessions, which is the limit; end one of them first.`);
  }
}

/**
 * The proof of a sign-in began before the credentials of its owner were last changed, or is older than a day, so that the
 * owner has to prove again who they are; nothing was written.
 */
export class StaleCredentialsError extends SessionsError {
  /** The code of a proof that no longer counts. */
  readonly code = 'ERR_SESSION_CREDENTIALS';
  /** 409 Conflict. */
  override readonly statusCode = 409;

  constructor(
    /** The name of the table. */
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
  /** The code of a storage that does not answer. */
  readonly code = 'ERR_SESSION_UNAVAILABLE';
  /** 503 Service Unavailable. */
  override readonly statusCode = 503;

  constructor(
    /** The name of the table. */
    readonly table: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`Table "${table}": ${problem}`, options);
  }
}

/** An adapter's update or delete finds no row to work on. */
export class StaleEntryError extends SessionsError {
  /** The code of a row that is not there. */
  readonly code = 'ERR_STALE_ENTRY';
  /** 409 Conflict. */
  override readonly statusCode = 409;

  constructor(
    /** The name of the table. */
    readonly table: string,
  ) {
    super(`Table "${table}": no row matches the filters of this update or delete.`);
  }
}

/** A value of a row cannot be made into what the application has: its transformer throws, or it is no JSON. Other rows can. */
export class UnreadableRowError extends SessionsError {
  /** The code of a row that cannot be read. */
  readonly code = 'ERR_ROW_UNREADABLE';

  constructor(
    /** The name of the table. */
    readonly table: string,
    /** The property of the column that holds the value. */
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

/** A primary key or a unique index already holds these values; nothing was written. */
export class UniqueConstraintError extends SessionsError {
  /** The code of a value that is taken. */
  readonly code = 'ERR_UNIQUE_CONSTRAINT';
  /** 409 Conflict. */
  override readonly statusCode = 409;

  constructor(
    /** The name of the table. */
    readonly table: string,
    /** The properties of the columns whose values are taken. */
    readonly columns: readonly string[],
  ) {
    super(`Table "${table}": a row with the same ${columns.join(', ') || 'unique value'} exists already.`);
  }
}

/** The adapter does not run this query; the message names the part, and the way out. */
export class UnsupportedQueryError extends SessionsError {
  /** The code of a query that the adapter does not run. */
  readonly code = 'ERR_QUERY_UNSUPPORTED';
}

/** The options of the application cannot work; the message has all problems at once. */
export class SessionsConfigError extends SessionsError {
  /** The code of options that cannot work. */
  readonly code = 'ERR_SESSIONS_CONFIG';

  constructor(
    /** Every problem, each a sentence that names its place. */
    readonly problems: readonly string[],
  ) {
    super(['nest-sessions cannot work as it is set up:', ...problems.map((problem) => `  - ${problem}`)].join('\n'));
  }
}
