import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import { isObject } from '../errors/option-types.js';
import type { BaseSession } from '../session/session.js';

/** What a handler has been found to be called with. */
interface Call {
  readonly handler: unknown;
  readonly controller: unknown;
  session: BaseSession | undefined;
}

/**
 * By message, or by socket, whose messages have nothing else in common with their handler's parameters: so each handler has
 * its own, for they may have guards of different tables.
 */
const CALLS = new WeakMap<object, Call[]>();

/** The session of a message's call; in an exception filter, which is told no handler, the last one of its message or socket. */
export function ofMessage(context: ArgumentsHost): BaseSession | undefined {
  const calls = CALLS.get(keyOf(context) ?? CALLS);
  return calls && callOf(calls, context)?.session;
}

/** Keeps the session of a message's call. */
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

/** What there is one of for each call: the context of an RPC message, the call of a gRPC stream, the socket; else an argument. */
function keyOf(context: ArgumentsHost): object | undefined {
  const [first, second] = [context.getArgByIndex<unknown>(0), context.getArgByIndex<unknown>(1)];
  if (context.getType<string>() === 'rpc' && isObject(second)) return second;
  return isObject(first) ? first : isObject(second) ? second : undefined;
}
