import type { HttpException } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { SessionsModuleOptions } from '../options/sessions.options.js';
import { privateField } from '../util/private-field.js';
import { throwWithRetryAfter, refusalOf } from './authenticate-request.js';
import type { Found, FoundToken } from './found.js';

type OnRefused = NonNullable<SessionsModuleOptions['onRefused']>;

/** The report of a refused token to the application. */
const TOLD = privateField<Promise<void>>();

/**
 * Refuses a call. First tells the application about the token through `onRefused`, once for all calls that share it.
 *
 * @throws the refusal, or what the application throws
 */
export function answerRefused(
  found: Found,
  onRefused: OnRefused | undefined,
  response: unknown,
  adapter: AbstractHttpAdapter,
  refusal: () => HttpException,
): Promise<never> {
  if (!onRefused || found.kind !== 'one') throw refusal();
  return answerTold(found, onRefused, response, adapter, refusal);
}

async function answerTold(
  found: FoundToken,
  onRefused: OnRefused,
  response: unknown,
  adapter: AbstractHttpAdapter,
  refusal: () => HttpException,
): Promise<never> {
  const told = TOLD.get(found) ?? tell(found, onRefused);
  TOLD.set(found, told);
  await told.catch((error: unknown) => throwWithRetryAfter(error, response, adapter));
  throw refusal();
}

async function tell({ request }: FoundToken, onRefused: OnRefused): Promise<void> {
  const { reason, session } = refusalOf(request);
  await onRefused(request, reason, session);
}
