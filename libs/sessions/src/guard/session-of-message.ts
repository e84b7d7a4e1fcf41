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

/** Records the session of a message's call; `undefined`: it has none. */
export function rememberOfMessage(context: ArgumentsHost, session: BaseSession | undefined): void {
  const key = keyOf(context);
  if (!key) return;
  const calls = CALLS.get(key) ?? [];
  const call = callOf(calls, context);
  if (call) call.session = session;
  else CALLS.set(key, [...calls, { handler: handlerOf(context), controller: controllerOf(context), session }]);
}

function callOf(calls: readonly Call[], context: ArgumentsHost): Call | undefined {
  const handler = handlerOf(context);
  if (!handler) return calls.at(-1);
  const controller = controllerOf(context);
  // No closure: this runs for each message.
  for (const call of calls) if (call.handler === handler && call.controller === controller) return call;
  return undefined;
}

const handlerOf = (context: Partial<ExecutionContext>): unknown => context.getHandler?.();
const controllerOf = (context: Partial<ExecutionContext>): unknown => context.getClass?.();

/** An object unique to the call: the context of an RPC message, the call of a gRPC stream, the socket; else an argument. */
function keyOf(context: ArgumentsHost): object | undefined {
  const first = context.getArgByIndex<unknown>(0);
  const second = context.getArgByIndex<unknown>(1);
  if (context.getType<string>() === 'rpc' && isObject(second)) return second;
  return isObject(first) ? first : isObject(second) ? second : undefined;
}
