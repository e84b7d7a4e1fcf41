import type { ExecutionContext, HttpException } from '@nestjs/common';
import { isObject } from '../../errors/option-types.js';
import { messageRequest } from '../../http/credentials.js';
import type { RpcOptions } from '../../options/rpc.options.js';
import { isEventHandler } from '../nest-internals.js';
import type { GuardedCall } from './call.js';
import { headersOf } from './handshake.js';
import { detailsOf } from './refusals.js';
import { rejectMessage } from './rabbitmq.js';

/** The metadata of a gRPC call. */
interface Metadata {
  getMap(): Readonly<Record<string, unknown>>;
  get(name: string): readonly unknown[];
  set(name: string, value: string): void;
}

/** The gRPC status codes by HTTP status. */
const GRPC_CODES: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 503: 14 };
const UNKNOWN = 2;

/** A gRPC call whose handler takes the call itself. */
interface WholeCall {
  readonly metadata: Metadata;
  emit(event: 'error', error: object): void;
}

/** Reads an RPC message or a gRPC call. */
export function rpcCall(context: ExecutionContext, { refusedMessages }: RpcOptions = {}): GuardedCall {
  const [first, second] = context.getArgs<[unknown, unknown]>();
  if (isWholeCall(first)) return wholeCall(first, second);
  const isEvent = isEventHandler(context.getHandler());
  return {
    request: messageRequest(headersIn(second), first),
    async refusal(exception, challenge) {
      if (refusedMessages === 'nack') rejectMessage(second, isEvent ? detailsOf(exception).retryAfter : undefined);
      // Nobody receives the refusal of an event, and Nest would log it with its stack, which anybody could provoke.
      if (isEvent) return exception;
      const { RpcException } = await import('@nestjs/microservices');
      return new RpcException(errorOf(exception, trailers(second, challenge)));
    },
  };
}

function wholeCall(call: WholeCall, callback: unknown): GuardedCall {
  return {
    request: messageRequest(headersIn(call.metadata), undefined),
    async refusal(exception, challenge) {
      const error = errorOf(exception, trailers(call.metadata, challenge));
      if (typeof callback === 'function') callback(error);
      else call.emit('error', error);
      // A failure before such a handler is a rejection that Nest never handles, so any client could end the process.
      return new Promise(() => undefined);
    },
  };
}

/** The headers of a message, empty on TCP and Redis. No browser sends messages, so cookies do not count. */
function headersIn(carrier: unknown): Readonly<Record<string, readonly string[]>> {
  const { cookie: _, ...headers } = headersOf(pairsIn(carrier));
  return headers;
}

function pairsIn(carrier: unknown): Iterable<readonly [string, unknown]> {
  if (isMetadata(carrier)) return Object.keys(carrier.getMap()).map((name) => [name, carrier.get(name)]);
  // NATS.
  const headers = called(carrier, 'getHeaders');
  if (isObject(headers)) return isIterable(headers) ? headers : Object.entries(headers);
  // Kafka has headers on its message, RabbitMQ among its properties.
  const message = called(carrier, 'getMessage');
  if (isObject(message))
    return Object.entries(inside(message, 'headers') ?? inside(message, 'properties', 'headers') ?? {});
  // MQTT 5.
  return Object.entries(inside(called(carrier, 'getPacket'), 'properties', 'userProperties') ?? {});
}

/** The error for a client of any transport. gRPC uses its `code`, `details` and `metadata`. */
function errorOf(exception: HttpException, metadata: object | undefined): object {
  const statusCode = exception.getStatus();
  const { message } = exception;
  const grpc = { code: GRPC_CODES[statusCode] ?? UNKNOWN, ...(metadata && { details: message, metadata }) };
  return { status: 'error', statusCode, ...detailsOf(exception), message, ...grpc };
}

/** The trailers of a gRPC answer. */
function trailers(carrier: unknown, challenge: string | undefined): object | undefined {
  if (!isMetadata(carrier)) return undefined;
  const metadata = new (carrier.constructor as new () => Metadata)();
  if (challenge !== undefined) metadata.set('www-authenticate', challenge);
  return metadata;
}

function isWholeCall(value: unknown): value is WholeCall {
  return isObject(value) && 'metadata' in value && isMetadata(value.metadata);
}

function isMetadata(value: unknown): value is Metadata {
  return isObject(value) && 'getMap' in value && 'toHttp2Headers' in value;
}

function isIterable(value: object): value is Iterable<readonly [string, unknown]> {
  return Symbol.iterator in value;
}

/** Calls a method that an object may not have. */
function called(value: unknown, method: string): unknown {
  const found: unknown = isObject(value) ? Reflect.get(value, method) : undefined;
  return typeof found === 'function' ? (found.call(value) as unknown) : undefined;
}

/** A nested object, if it exists. */
function inside(value: unknown, ...names: readonly string[]): object | undefined {
  const found = names.reduce(
    (at: unknown, name) => (isObject(at) ? (Reflect.get(at, name) as unknown) : undefined),
    value,
  );
  return isObject(found) ? found : undefined;
}
