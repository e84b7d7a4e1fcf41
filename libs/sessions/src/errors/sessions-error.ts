import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { ofTable } from './messages.js';

/** The `code` of an error of this library. Existing codes never change between releases. */
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

/** Marks the errors of all copies of this package, of which an application may load several. */
const BRAND = Symbol.for('nest-sessions:error');

/**
 * The errors of this library, from any loaded copy. Errors with an HTTP status are Nest's `HttpException`s; this is the
 * base class of the others, which are faults of the application.
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
  static {
    brand(this);
    recognize(this, () => true);
  }

  /** The stable code that identifies the error. */
  abstract readonly code: SessionsErrorCode;
  /** The HTTP status of the answer; absent for a fault of the application, which Nest answers with 500. */
  declare readonly statusCode?: number;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  /**
   * Whether a thrown value is an error of this library, like `instanceof`.
   *
   * @example
   * ```ts
   * function codeOf(error: unknown) {
   *   return SessionsError.is(error) ? error.code : undefined;
   * }
   * ```
   */
  static is(error: unknown): error is SessionsError {
    return typeof error === 'object' && error !== null && BRAND in error;
  }
}

/** The problem with each field, by the field's name. */
export type FieldErrors = Readonly<Record<string, string>>;

/** What the logs and what clients are told. */
interface Answer<C extends SessionsErrorCode> {
  readonly code: C;
  readonly statusCode: number;
  readonly table: string;
  /** For logs, after the name of the table. */
  readonly problem: string;
  /** For clients, without the name of the table. */
  readonly told: string;
  /** For clients: only fields that the application may name. */
  readonly errors?: FieldErrors;
  readonly cause?: unknown;
}

/** An error that Nest answers with a status, wherever a route throws it. */
export abstract class SessionsHttpError<C extends SessionsErrorCode> extends HttpException {
  static {
    brand(this);
  }

  /** The stable code that identifies the error. */
  readonly code: C;
  /** The HTTP status of the answer. */
  readonly statusCode: number;
  /** The name of the table. */
  readonly table: string;

  constructor({ code, statusCode, table, problem, told, errors, cause }: Answer<C>) {
    const error = STATUS_CODES[statusCode];
    super({ statusCode, message: told, error, errorCode: code, ...(errors && { errors }) }, statusCode, {
      errorCode: code,
    });
    this.message = ofTable(table, problem);
    this.code = code;
    this.statusCode = statusCode;
    this.table = table;
    // Not enumerable, as in `Error` but unlike `HttpException`: loggers and JSON do not show it.
    Object.defineProperty(this, 'cause', { value: cause, enumerable: false });
  }
}

/**
 * Makes `instanceof` also accept this class's errors from other copies of the package. Subclasses by an application
 * keep the usual `instanceof`.
 */
export function recognize(errorClass: object, isOne: (error: SessionsError) => boolean): void {
  Object.defineProperty(errorClass, Symbol.hasInstance, {
    value(this: object, error: unknown): boolean {
      if (this !== errorClass) return Function.prototype[Symbol.hasInstance].call(this as never, error);
      return SessionsError.is(error) && isOne(error);
    },
  });
}

function brand({ prototype }: { readonly prototype: object }): void {
  Object.defineProperty(prototype, BRAND, { value: true });
}
