import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import { isObject } from '../errors/option-types.js';
import type { BaseSession } from '../session/session.js';
import { privateField } from '../util/private-field.js';
import { ConnectionContext } from './calls/connection-context.js';
import type { FollowedSession } from './followed-session.js';
import type { FoundToken } from './found.js';

/** The call of a handler. */
interface Call {
  readonly handler: unknown;
  readonly controller: unknown;
  /** Whether it is that of one message only. */
  readonly isOfMessage: boolean;
  session: BaseSession | undefined;
  /** What shares the session with other calls; `undefined` if it is this one's own. */
  sharedBy: FollowedSession | undefined;
  /** The call before it. */
  readonly former: Call | undefined;
}

/** The latest call of a message or a socket. Each handler has its own, since handlers may have guards of different tables. */
const CALLS = privateField<Call>();

/** The session of a message's call. An exception filter knows no handler and gets the last one of its message or socket. */
export function ofMessage(context: ArgumentsHost): BaseSession | undefined {
  const call = callOf(context);
  if (!call?.session || !call.sharedBy) return call?.session;
  const own = call.sharedBy.copyOf(call.session);
  if (call.isOfMessage) [call.session, call.sharedBy] = [own, undefined];
  return own;
}

/** A field of that session. Most need no copy of it. */
export function fieldOfMessage(context: ArgumentsHost, field: string): unknown {
  const call = callOf(context);
  const value: unknown = call?.session && Reflect.get(call.session, field);
  return call?.sharedBy && isObject(value) ? Reflect.get(ofMessage(context)!, field) : value;
}

/** Whose session that of a call is. */
export type Sharing = Pick<FoundToken, 'followed' | 'isShared'>;

/** Records the session of a message's call; `undefined`: it has none. */
export function rememberOfMessage(
  context: ArgumentsHost,
  session: BaseSession | undefined,
  { followed, isShared }: Sharing = {},
): void {
  const [message, socket] = [messageOf(context), socketOf(context)];
  if (message) remember(message, context, true, session, isShared ? followed : undefined);
  // A guard or an interceptor may replace the data of a message.
  if (socket) remember(socket, context, false, session, followed);
}

function remember(
  key: object,
  context: ArgumentsHost,
  isOfMessage: boolean,
  session: BaseSession | undefined,
  sharedBy: FollowedSession | undefined,
): void {
  const former = CALLS.get(key);
  const known = callIn(former, context);
  if (known) {
    known.session = session;
    known.sharedBy = sharedBy;
    return;
  }
  const [handler, controller] = [handlerOf(context), controllerOf(context)];
  CALLS.set(key, { handler, controller, isOfMessage, session, sharedBy, former });
}

function callOf(context: ArgumentsHost): Call | undefined {
  const message = messageOf(context);
  const call = message && callIn(CALLS.get(message), context);
  if (call) return call;
  const socket = socketOf(context);
  // Of a refused message, a filter must not get the session of another one.
  return socket && (!message || handlerOf(context)) ? callIn(CALLS.get(socket), context) : undefined;
}

function callIn(latest: Call | undefined, context: ArgumentsHost): Call | undefined {
  const handler = handlerOf(context);
  if (!handler) return latest;
  let call = latest;
  const controller = controllerOf(context);
  while (call && (call.handler !== handler || call.controller !== controller)) call = call.former;
  return call;
}

const handlerOf = (context: Partial<ExecutionContext>): unknown => context.getHandler?.();
const controllerOf = (context: Partial<ExecutionContext>): unknown => context.getClass?.();

/** An object of this message alone: the context of an RPC message, the call of a gRPC stream, what a socket sent; else an argument. */
function messageOf(context: ArgumentsHost): object | undefined {
  const [first, second] = [context.getArgByIndex<unknown>(0), context.getArgByIndex<unknown>(1)];
  switch (context.getType<string>()) {
    case 'ws': {
      // Sockets of several namespaces share a handshake.
      if (context instanceof ConnectionContext) return undefined;
      const acknowledge: unknown = context.getArgByIndex(2);
      return isObject(second) ? second : typeof acknowledge === 'function' ? acknowledge : undefined;
    }
    case 'rpc':
      return isObject(second) ? second : isObject(first) ? first : undefined;
    default:
      return isObject(first) ? first : isObject(second) ? second : undefined;
  }
}

/** The socket of a message that has nothing else of its own. */
function socketOf(context: ArgumentsHost): object | undefined {
  const socket = context.getArgByIndex<unknown>(0);
  return context.getType<string>() === 'ws' && isObject(socket) ? socket : undefined;
}
