import type * as library from '@app/sessions';
import type { SessionsError, SessionsErrorCode } from '@app/sessions';
import type { Equal, Expect } from './expect-type.js';

type Library = typeof library;
type ErrorName = Exclude<Extract<keyof Library, `${string}Error`>, 'SessionsError'>;

// Every error of the library has a code of the union, and every code is that of one.
export type Codes = Expect<Equal<{ [K in ErrorName]: InstanceType<Library[K]>['code'] }[ErrorName], SessionsErrorCode>>;

/** Compiles only while it has a case for every code. */
export function adviceOf({ code }: SessionsError): string {
  switch (code) {
    case 'ERR_SESSION_INVALID':
    case 'ERR_QUERY_UNSUPPORTED':
    case 'ERR_SESSION_NOT_UNIQUE':
      return 'mend the call';
    case 'ERR_SESSION_NOT_FOUND':
    case 'ERR_STALE_ENTRY':
    case 'ERR_SESSION_STALE':
      return 'read it again';
    case 'ERR_SESSION_LIMIT':
      return 'end another session';
    case 'ERR_SESSION_CREDENTIALS':
      return 'sign in again';
    case 'ERR_SESSION_UNAVAILABLE':
      return 'wait';
    case 'ERR_ROW_UNREADABLE':
    case 'ERR_UNIQUE_CONSTRAINT':
      return 'look at the row';
    case 'ERR_SESSIONS_CONFIG':
      return 'mend the options';
    default:
      return code satisfies never;
  }
}

/** A code that there is not, and a case that is left out, are errors. */
export function wrong(error: SessionsError): string {
  // @ts-expect-error no error has this code
  if (error.code === 'ERR_SESSION_MISSING') return '';
  switch (error.code) {
    case 'ERR_SESSION_LIMIT':
      return error.code satisfies 'ERR_SESSION_LIMIT';
    default:
      // @ts-expect-error the other codes are left
      return error.code satisfies never;
  }
}
