import * as library from '@app/sessions';
import {
  IS_TAKEN,
  TOLD_CREDENTIALS_CHANGED,
  TOLD_NO_MATCH,
  TOLD_NO_ROW,
  TOLD_SESSION_OVER,
  TOLD_UNAVAILABLE,
  TOLD_VALUE_TAKEN,
  toldLimitReached,
} from '../../libs/sessions/src/errors/messages.js';

/** One error of each class of a copy of the library. */
export function oneOfEach(copy: typeof library = library) {
  return {
    MultipleSessionsError: new copy.MultipleSessionsError('secrets'),
    SessionLimitError: new copy.SessionLimitError('secrets', 'userId', 3),
    SessionNotFoundError: new copy.SessionNotFoundError('secrets'),
    SessionsConfigError: new copy.SessionsConfigError(['table "secrets": no']),
    SessionsUnavailableError: new copy.SessionsUnavailableError('secrets', 'waited for a lock.', {
      cause: new Error('SELECT of secrets'),
    }),
    SessionValidationError: new copy.SessionValidationError('secrets', { userId: 'is required', note: 'must be text' }),
    StaleCredentialsError: new copy.StaleCredentialsError('secrets', 'userId'),
    StaleEntryError: new copy.StaleEntryError('secrets'),
    StaleSessionError: new copy.StaleSessionError('secrets', 'id-1'),
    UniqueConstraintError: new copy.UniqueConstraintError('secrets', ['email', 'authTokenDigest'], ['email']),
    UnreadableRowError: new copy.UnreadableRowError('secrets', 'note', { id: 'id-1' }, { cause: new Error('no') }),
    UnsupportedQueryError: new copy.UnsupportedQueryError('Table "secrets": no such operator.'),
  };
}

export type ErrorName = keyof ReturnType<typeof oneOfEach>;

interface Body {
  readonly statusCode: number;
  readonly message: string;
  readonly error: string;
  readonly errorCode: string;
  readonly errors?: Readonly<Record<string, string>>;
}

/** What a client is told of those errors that have a status. */
export const BODIES: Readonly<Partial<Record<ErrorName, Body>>> = {
  SessionLimitError: {
    statusCode: 409,
    message: toldLimitReached(3),
    error: 'Conflict',
    errorCode: 'ERR_SESSION_LIMIT',
  },
  SessionNotFoundError: {
    statusCode: 404,
    message: TOLD_NO_MATCH,
    error: 'Not Found',
    errorCode: 'ERR_SESSION_NOT_FOUND',
  },
  SessionsUnavailableError: {
    statusCode: 503,
    message: TOLD_UNAVAILABLE,
    error: 'Service Unavailable',
    errorCode: 'ERR_SESSION_UNAVAILABLE',
  },
  SessionValidationError: {
    statusCode: 400,
    message: 'userId is required; note must be text.',
    error: 'Bad Request',
    errorCode: 'ERR_SESSION_INVALID',
    errors: { userId: 'is required', note: 'must be text' },
  },
  StaleCredentialsError: {
    statusCode: 409,
    message: TOLD_CREDENTIALS_CHANGED,
    error: 'Conflict',
    errorCode: 'ERR_SESSION_CREDENTIALS',
  },
  StaleEntryError: { statusCode: 409, message: TOLD_NO_ROW, error: 'Conflict', errorCode: 'ERR_STALE_ENTRY' },
  StaleSessionError: {
    statusCode: 409,
    message: TOLD_SESSION_OVER,
    error: 'Conflict',
    errorCode: 'ERR_SESSION_STALE',
  },
  UniqueConstraintError: {
    statusCode: 409,
    message: TOLD_VALUE_TAKEN,
    error: 'Conflict',
    errorCode: 'ERR_UNIQUE_CONSTRAINT',
    errors: { email: IS_TAKEN },
  },
};
