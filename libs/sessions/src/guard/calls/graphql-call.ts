import type { IncomingMessage } from 'node:http';
import { type ExecutionContext, type HttpException, HttpStatus } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { isObject } from '../../errors/option-types.js';
import type { HttpRequest } from '../../http/credentials.js';
import { isKept } from '../connections.js';
import { NO_REQUEST_IN_CONTEXT } from '../messages.js';
import type { GuardedCall } from './call.js';
import { ConnectionCall } from './connection-call.js';
import { connectionRequest, handshakeRequest } from './handshake.js';
import { type Opened, openedSocket, type RawSocket } from './opened.js';
import { detailsOf } from './refusals.js';
import { type FieldInfo, fieldOf, operationOf, rootOf } from './resolver-args.js';

/** What Nest's drivers put into the context of an operation. */
interface OperationContext {
  /** The HTTP request, or the connection of graphql-ws. */
  readonly req?: HttpRequest | GraphqlWsConnection;
  readonly res?: unknown;
  readonly reply?: unknown;
  /** Mercurius: its application. */
  readonly app?: { readonly graphql?: unknown };
  /** Mercurius on a socket: the request that opened it, and the client's connection parameters. */
  readonly request?: { readonly raw: IncomingMessage };
  /** The socket, if the application's `subscription.context` puts it there. */
  readonly socket?: RawSocket;
  readonly _connectionInit?: unknown;
}

/** A connection as graphql-ws knows it. */
interface GraphqlWsConnection {
  readonly extra: { readonly request: IncomingMessage; readonly socket?: RawSocket };
  readonly connectionParams?: unknown;
}

/** Reads a field of an operation. @throws TypeError if the context has no request */
export function graphqlCall(context: ExecutionContext, adapter: AbstractHttpAdapter): GuardedCall {
  const info = fieldOf(context);
  const value = operationOf(context, info);
  if (!isObject(value)) throw new TypeError(NO_REQUEST_IN_CONTEXT);
  const { req, request, socket, _connectionInit }: OperationContext = value;
  if (isObject(req) && 'extra' in req) return socketCall(req.extra, req.connectionParams, value, info);
  if (isObject(req) && 'headers' in req) return new HttpField(value, req, scopeOf(rawOf(req), info), adapter);
  if (isObject(request) && isObject(request.raw))
    return socketCall({ request: request.raw, socket }, said(_connectionInit), value, info);
  throw new TypeError(NO_REQUEST_IN_CONTEXT);
}

/** A field of an operation over HTTP. A class, because there are many; all of it is its own, so that a copy has it too. */
class HttpField implements GuardedCall {
  readonly response: unknown;
  readonly refusal = refusalOfField;

  constructor(
    readonly operation: OperationContext,
    readonly request: HttpRequest,
    readonly scope: object,
    readonly adapter: AbstractHttpAdapter,
  ) {
    const { res, reply } = operation;
    this.response = res ?? reply ?? Reflect.get(request, 'res');
  }
}

function refusalOfField(this: HttpField, exception: HttpException, challenge: string | undefined): Error {
  const { operation, response, adapter } = this;
  const isMercurius = typeof operation.app?.graphql === 'function';
  const { retryAfter } = detailsOf(exception);
  const headers = new Map<string, string>();
  if (challenge !== undefined) headers.set('www-authenticate', challenge);
  if (retryAfter !== undefined) headers.set('retry-after', String(retryAfter));
  if (isMercurius) for (const [name, text] of headers) adapter.setHeader(response, name, text);
  // Apollo takes the status and headers of its answer from `http`, and removes that before it sends the error.
  return withExtensions(exception, challenge, !isMercurius && { http: { status: exception.getStatus(), headers } });
}

/** Reads a field of an operation over a connection. */
function socketCall(
  { request, socket }: { readonly request: IncomingMessage; readonly socket?: RawSocket | undefined },
  params: unknown,
  operation: object,
  info: FieldInfo | undefined,
): GuardedCall {
  const handshake = handshakeRequest(request);
  const opens = socket && (info?.operation.operation === 'subscription' || isKept(socket));
  const opened = opens ? openedSocket(socket) : undefined;
  return new SocketField(connectionRequest(params, handshake), handshake, scopeOf(operation, info), opened);
}

/** A field of an operation over a connection. */
class SocketField extends ConnectionCall implements GuardedCall {
  constructor(
    readonly request: HttpRequest,
    readonly handshake: HttpRequest,
    readonly scope: object,
    readonly opened: Opened | undefined,
  ) {
    super();
  }

  readonly refusal = (exception: HttpException, challenge: string | undefined): Error =>
    withExtensions(exception, challenge);
}

/** The exception, with what GraphQL puts into the errors of an answer. */
function withExtensions(exception: HttpException, challenge: string | undefined, more: object | false = false): Error {
  const status = exception.getStatus();
  const code = status === HttpStatus.UNAUTHORIZED.valueOf() ? 'UNAUTHENTICATED' : HttpStatus[status];
  const extensions = { code, ...detailsOf(exception), ...(challenge !== undefined && { challenge }), ...more };
  return Object.assign(exception, { extensions });
}

/**
 * The scope of a field. Fields of a query share the request's lookup. Fields of a mutation share that of their root
 * field, since one may end the session that the next one uses. Operations on a connection share none.
 */
function scopeOf(operation: object, info: FieldInfo | undefined): object {
  return info === undefined || info.operation.operation === 'query' ? operation : rootOf(info.path);
}

/** Node's request, which all operations of a batch share. */
function rawOf(request: HttpRequest): object {
  return request.raw ?? request;
}

/** The connection parameters of a Mercurius client, which may be in `headers`. */
function said(init: unknown): unknown {
  return isObject(init) && 'headers' in init && isObject(init.headers) ? init.headers : init;
}
