import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import { isObject } from '../errors/option-types.js';
import type { BaseSession } from '../session/session.js';
import { privateField } from '../util/private-field.js';

/** The call of a handler. */
interface Call {
  readonly handler: unknown;
  readonly controller: unknown;
  session: BaseSession | undefined;
}

/**
 * Of a message or a socket. Messages on a socket share only the socket, so each handler has its own entry: handlers may
 * have guards of different tables.
 */
const CALLS = privateField<Call[]>();

/** The session of a message's call. An exception filter knows no handler and gets the last one of its message or socket. */
export function ofMessage(context: ArgumentsHost): BaseSession | undefined {
  const key = keyOf(context);
  const calls = key && CALLS.get(key);
  return calls && callOf(calls, context)?.session;
}

/** Records the session of a message's call. */
export function rememberOfMessage(context: ArgumentsHost, session: BaseSession | undefined): void {
  const key = keyOf(context);
  if (!key) return;
  const calls = CALLS.get(key) ?? [];
  const call = callOf(calls, context);
  if (call) call.session = session;
  else CALLS.set(key, [...calls, { ...placeOf(context), session }]);
}

function callOf(calls: readonly Call[], context: ArgumentsHost): Call | undefined {
  const { handler, controller } = placeOf(context);
  if (!handler) return calls.at(-1);
  return calls.find((call) => call.handler === handler && call.controller === controller);
}

function placeOf(context: ArgumentsHost): Omit<Call, 'session'> {
  const { getHandler, getClass } = context as Partial<ExecutionContext>;
  return { handler: getHandler?.call(context), controller: getClass?.call(context) };
}

/** An object unique to the call: the context of an RPC message, the call of a gRPC stream, the socket; else an argument. */
function keyOf(context: ArgumentsHost): object | undefined {
  const [first, second] = [context.getArgByIndex<unknown>(0), context.getArgByIndex<unknown>(1)];
  if (context.getType<string>() === 'rpc' && isObject(second)) return second;
  return isObject(first) ? first : isObject(second) ? second : undefined;
}
