import { type ExecutionContext, HttpException } from '@nestjs/common';
import type { MaybePromise } from '../../util/maybe-promise.js';
import type { GuardedCall } from './call.js';

/** What the challenge of a refused call says, on transports whose answers have no headers. */
const CHALLENGES = new WeakMap<ExecutionContext, string>();

/** Keeps what a challenge says for the refusal of a call. */
export function noteChallenge(context: ExecutionContext, challenge: string): void {
  CHALLENGES.set(context, challenge);
}

/** Has a refusal be told as the transport of its call does. */
export function inItsForm(
  call: GuardedCall,
  context: ExecutionContext,
  passes: () => MaybePromise<boolean>,
): MaybePromise<boolean> {
  const fail = async (error: unknown): Promise<never> => {
    if (!(error instanceof HttpException)) throw error;
    throw (await call.refusal?.(error, CHALLENGES.get(context))) ?? error;
  };
  try {
    const passed = passes();
    return passed instanceof Promise ? passed.catch(fail) : passed;
  } catch (error) {
    return fail(error);
  }
}

/** What is told of a refusal, whichever transport it is. */
export interface RefusalDetails {
  readonly errorCode?: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

/** What a client can go by. */
export function detailsOf(exception: HttpException): RefusalDetails {
  const retryAfter: unknown = Reflect.get(exception, 'retryAfter');
  return {
    ...(exception.errorCode !== undefined && { errorCode: exception.errorCode }),
    ...(typeof retryAfter === 'number' && { retryAfter }),
  };
}
