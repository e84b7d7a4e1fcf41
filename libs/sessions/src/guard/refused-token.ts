import type { ExecutionContext, HttpException } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { SessionsModuleOptions } from '../options/sessions.options.js';
import { failLater, refusalOf } from './authenticate-request.js';
import type { Found } from './found.js';

type FoundToken = Extract<Found, { kind: 'one' }>;
type OnRefused = NonNullable<SessionsModuleOptions['onRefused']>;

/** What has come of telling that a token is refused. */
const TOLD = new WeakMap<FoundToken, Promise<void>>();

/**
 * Refuses a call after the application has been told of its token, once for all calls that share it.
 *
 * @throws the refusal, or what the application throws
 */
export async function answerRefused(
  found: FoundToken,
  onRefused: OnRefused,
  context: ExecutionContext,
  adapter: AbstractHttpAdapter,
  refusal: () => HttpException,
): Promise<never> {
  const told = TOLD.get(found) ?? tell(found, onRefused);
  TOLD.set(found, told);
  const response = context.getType() === 'http' ? context.getArgByIndex<unknown>(1) : undefined;
  await told.catch((error: unknown) => failLater(error, response, adapter));
  throw refusal();
}

async function tell({ request }: FoundToken, onRefused: OnRefused): Promise<void> {
  const { reason, session } = refusalOf(request);
  await onRefused(request, reason, session);
}
