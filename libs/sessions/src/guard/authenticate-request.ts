import { HttpException, type Logger, ServiceUnavailableException } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { SessionsConfigError, SessionsError, SessionsUnavailableError } from '../errors/errors.js';
import { reasonOf } from '../errors/reason-of.js';
import type { RefusalReason } from '../events/session-event.js';
import type { Refused, TableEvents } from '../events/session-events.js';
import type { HttpRequest } from '../http/credentials.js';
import { useOf } from '../lifecycle/last-use.js';
import { UNKNOWN } from '../lifecycle/read-session.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { authenticateAtOnce, type ServedTable } from '../service/authenticate-at-once.js';
import type { BaseSession } from '../session/session.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { privateField } from '../util/private-field.js';
import { Throttle } from '../util/throttle.js';
import { detailsOf } from './calls/refusals.js';
import { LOOK_UP_UNAVAILABLE, lookUpFailed } from './messages.js';

/** The table in which a guard of several tables found a session: of the session and of the request. */
const FOUND_IN = privateField<SessionsStore>();

/**
 * The one of a guard's tables that a session is from, if known. Also by request, since a subclass may copy the session;
 * another guard may have found a session of a table of its own for that request.
 */
export function tableOf(
  session: BaseSession,
  request: HttpRequest,
  tables: readonly SessionsStore[],
): SessionsStore | undefined {
  if (tables.length === 1) return tables[0];
  return [FOUND_IN.get(session), FOUND_IN.get(request)].find((store) => store && tables.includes(store));
}

/** Why the token of a request was refused, if somebody wants to be told. */
const REFUSED = privateField<Refused>();

/** Why the token of a request was refused, as far as the tables have said. */
export function refusalOf(request: HttpRequest): Refused {
  return REFUSED.get(request) ?? UNKNOWN;
}

/** How long one reason is not logged again. */
const LOG_EVERY_MS = 1000;

/** The reasons logged lately, by logger. */
const LOGGED = new WeakMap<Logger, Throttle<string>>();

/** Refuses a request whose token cannot be looked up now. */
class LookUpUnavailable extends ServiceUnavailableException {
  /** @param retryAfter in seconds */
  constructor(readonly retryAfter: number) {
    super(LOOK_UP_UNAVAILABLE, { errorCode: 'ERR_SESSION_UNAVAILABLE' });
  }
}

/**
 * Returns the session of a request's token, from the first table that has it.
 *
 * @param notesRefusal whether to record the reason of a refusal for {@link refusalOf}
 * @throws ServiceUnavailableException if the storage cannot answer: an outage must log nobody out, and a 401 makes
 *   clients throw their token away
 */
export function authenticateRequest(
  request: HttpRequest,
  token: string,
  tables: readonly ServedTable[],
  authoritative: boolean,
  logger: Logger,
  notesRefusal = false,
): MaybePromise<BaseSession | null> {
  return orUnavailable(
    () =>
      tables.length === 1 && !notesRefusal
        ? authenticateAtOnce(tables[0]!, token, { authoritative }, () => useOf(request))
        : authenticateInAny(tables, token, request, authoritative, notesRefusal),
    logger,
  );
}

/** Runs a lookup. @throws ServiceUnavailableException if the storage cannot answer now */
export function orUnavailable(
  find: () => MaybePromise<BaseSession | null>,
  logger: Logger,
): MaybePromise<BaseSession | null> {
  try {
    const session = find();
    return session instanceof Promise ? session.catch((error: unknown) => fail(error, logger)) : session;
  } catch (error) {
    return fail(error, logger);
  }
}

/** The table that knows the session reports the refusal; else the first one that takes the text for a token. */
async function authenticateInAny(
  tables: readonly ServedTable[],
  token: string,
  request: HttpRequest,
  authoritative: boolean,
  notesRefusal: boolean,
): Promise<BaseSession | null> {
  const isHeard = notesRefusal || tables.some(({ store }) => store.events.wants('refused'));
  const refusals: { readonly events: TableEvents; readonly refused: Refused }[] = [];
  for (const table of tables) {
    const { events } = table.store;
    const onRefused = (reason: RefusalReason, session?: BaseSession): unknown =>
      refusals.push({ events, refused: { type: 'refused', reason, ...(session && { session }) } });
    const options = { authoritative, onRefused: isHeard ? onRefused : undefined };
    const session = await authenticateAtOnce(table, token, options, () => useOf(request));
    if (session === null) continue;
    FOUND_IN.set(session, table.store);
    FOUND_IN.set(request, table.store);
    return session;
  }
  const told =
    refusals.find(({ refused }) => refused.session) ??
    refusals.find(({ refused }) => refused.reason === 'unknown') ??
    refusals[0];
  if (told) {
    REFUSED.set(request, told.refused);
    told.events.emit(told.refused);
  }
  return null;
}

/** Sets `Retry-After` if the error has one, whichever filter answers it, and rethrows. @throws the error */
export function throwWithRetryAfter(error: unknown, response: unknown, adapter: AbstractHttpAdapter): never {
  const retryAfter = error instanceof HttpException && detailsOf(error).retryAfter;
  if (retryAfter && response !== undefined) adapter.setHeader(response, 'Retry-After', String(retryAfter));
  throw error;
}

function fail(error: unknown, logger: Logger): never {
  const isNotNow = error instanceof SessionsUnavailableError;
  if (error instanceof SessionsError && !isNotNow && !isOfDatabase(error)) throw error;
  logOnce(reasonOf(error), logger);
  throw new LookUpUnavailable(isNotNow ? error.retryAfter : 1);
}

/** Whether the database has refused a set-up, such as one without the table, which a migration may still create. */
function isOfDatabase(error: SessionsError): boolean {
  return error instanceof SessionsConfigError && error.cause !== undefined;
}

/** An outage gives the same reason for every request. */
function logOnce(reason: string, logger: Logger): void {
  const logged = LOGGED.get(logger) ?? new Throttle(LOG_EVERY_MS);
  LOGGED.set(logger, logged);
  if (logged.passes(reason)) logger.error(lookUpFailed(reason));
}
