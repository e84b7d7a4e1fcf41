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

/** Runs what lets a call pass or refuses it, and converts a refusal to the form of the call's transport. */
export function inItsForm<Route>(
  context: ExecutionContext,
  call: GuardedCall,
  route: Route,
  passes: (context: ExecutionContext, call: GuardedCall, route: Route) => MaybePromise<boolean>,
): MaybePromise<boolean> {
  try {
    const passed = passes(context, call, route);
    return passed instanceof Promise ? passed.catch(conversion(context, call)) : passed;
  } catch (error) {
    return conversion(context, call)(error);
  }
}

function conversion(context: ExecutionContext, call: GuardedCall): (error: unknown) => Promise<never> {
  return async (error) => {
    if (!(error instanceof HttpException)) throw error;
    throw (await call.refusal?.(error, CHALLENGE.get(context))) ?? error;
  };
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
