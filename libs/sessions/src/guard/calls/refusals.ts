import { type ExecutionContext, HttpException } from '@nestjs/common';
import type { MaybePromise } from '../../util/maybe-promise.js';
import { privateField } from '../../util/private-field.js';
import type { GuardedCall } from './call.js';

/** The challenge of a refused call, for transports whose answers have no headers. */
const CHALLENGE = privateField<string>();

/** Records the challenge for the refusal of a call. */
export function noteChallenge(context: ExecutionContext, challenge: string): void {
  CHALLENGE.set(context, challenge);
}

/** Converts a refusal to the form of its call's transport. */
export function inItsForm(
  call: GuardedCall,
  context: ExecutionContext,
  passes: () => MaybePromise<boolean>,
): MaybePromise<boolean> {
  const fail = async (error: unknown): Promise<never> => {
    if (!(error instanceof HttpException)) throw error;
    throw (await call.refusal?.(error, CHALLENGE.get(context))) ?? error;
  };
  try {
    const passed = passes();
    return passed instanceof Promise ? passed.catch(fail) : passed;
  } catch (error) {
    return fail(error);
  }
}

/** The details of a refusal on every transport. */
export interface RefusalDetails {
  readonly errorCode?: string;
  /** In seconds. */
  readonly retryAfter?: number;
}

/** The details that a client can act on. */
export function detailsOf(exception: HttpException): RefusalDetails {
  const retryAfter: unknown = Reflect.get(exception, 'retryAfter');
  return {
    ...(exception.errorCode !== undefined && { errorCode: exception.errorCode }),
    ...(typeof retryAfter === 'number' && { retryAfter }),
  };
}
