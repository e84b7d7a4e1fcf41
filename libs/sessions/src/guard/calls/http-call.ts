import type { ExecutionContext } from '@nestjs/common';
import type { HttpRequest } from '../../http/credentials.js';
import type { GuardedCall } from './call.js';

/** A request of HTTP. */
export function httpCall(context: ExecutionContext, request: HttpRequest): GuardedCall {
  return { request, response: context.getArgByIndex<unknown>(1) };
}
