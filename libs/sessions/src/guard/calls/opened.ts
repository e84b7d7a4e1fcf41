import { isObject } from '../../errors/option-types.js';
import { SESSION_OVER } from '../messages.js';

/** What a call opens, and what ends with its session. */
export interface Opened {
  /** The stream or the socket itself. */
  readonly of: object;
  isOpen(): boolean;
  end(): void;
  whenClosed(closed: () => void): void;
}

/** The code by which sockets are closed whose client has to sign in again; clients of graphql-ws do not try again by themselves. */
const SIGN_IN_AGAIN = 4401;
/** For clients that are to try again by themselves, but later. */
const TRY_AGAIN_LATER = 1013;
const INTERNAL_ERROR = 1011;
const ENDED = 'ERR_SESSION_ENDED';

/** The code by which a connection is closed that is refused: from 4000 on they are the application's own (RFC 6455, 7.4.2). */
export function closeCodeOf(statusCode: number): number {
  if (statusCode === 503 || statusCode === 429) return TRY_AGAIN_LATER;
  return statusCode < 500 ? 4000 + statusCode : INTERNAL_ERROR;
}

/** What is used of Node's response, of either version of HTTP. */
interface RawResponse {
  readonly destroyed?: boolean;
  readonly closed?: boolean;
  end(ended: () => void): void;
  destroy?(): void;
  once(event: 'close', closed: () => void): void;
  on(event: 'error', failed: () => void): void;
}

/** The stream of an `@Sse()` route. @param response of Express or Fastify */
export function openedStream(response: unknown): Opened {
  const { raw = response } = response as { readonly raw?: unknown };
  const stream = raw as RawResponse;
  return {
    of: stream,
    isOpen: () => !stream.destroyed && !stream.closed,
    end() {
      // What its producer writes until the connection is closed is an error, which is nobody's.
      stream.on('error', () => undefined);
      stream.end(() => stream.destroy?.());
    },
    whenClosed: (closed) => stream.once('close', closed),
  };
}

/** What is used of a WebSocket of `ws`. */
export interface RawSocket {
  readonly readyState: number;
  close(code: number, reason: string): void;
  once(event: 'close', closed: () => void): void;
}

const OPEN = 1;

// Classes, for each message has one.

/** A socket. */
class OpenedSocket implements Opened {
  constructor(readonly of: RawSocket) {}

  isOpen(): boolean {
    return this.of.readyState === OPEN;
  }

  end(): void {
    this.of.close(SIGN_IN_AGAIN, ENDED);
  }

  whenClosed(closed: () => void): void {
    this.of.once('close', closed);
  }
}

export function openedSocket(socket: RawSocket): Opened {
  return new OpenedSocket(socket);
}

/** What is used of a socket of Socket.IO. */
interface IoSocket {
  readonly connected: boolean;
  /** What carries it, and those of other namespaces. */
  readonly conn: {
    readonly readyState: string;
    close(): void;
    once(event: 'close', closed: () => void): void;
    off(event: 'close', closed: () => void): void;
  };
  emit(event: 'exception', error: object): void;
  disconnect(close: boolean): void;
  once(event: 'disconnect', closed: () => void): void;
}

/** The socket of a message, or one that is being opened. */
export function openedClient(client: unknown, isConnecting: boolean): Opened | undefined {
  if (!isObject(client)) return undefined;
  if ('readyState' in client) return new OpenedSocket(client as RawSocket);
  return 'conn' in client ? new OpenedIoSocket(client as IoSocket, isConnecting) : undefined;
}

/** A socket of Socket.IO, whose client does not connect again by itself. */
class OpenedIoSocket implements Opened {
  constructor(
    readonly of: IoSocket,
    private readonly isConnecting: boolean,
  ) {}

  isOpen(): boolean {
    return this.isConnecting ? this.of.conn.readyState === 'open' : this.of.connected;
  }

  end(): void {
    // One that is still being opened takes no event, and cannot be disconnected.
    if (!this.of.connected) return this.of.conn.close();
    const error = { status: 'error', statusCode: 401, errorCode: ENDED, message: SESSION_OVER };
    this.of.emit('exception', error);
    this.of.disconnect(true);
  }

  whenClosed(closed: () => void): void {
    const { of: socket } = this;
    const gone = (): void => {
      socket.conn.off('close', gone);
      closed();
    };
    socket.once('disconnect', gone);
    // One that was never open is not disconnected.
    socket.conn.once('close', gone);
  }
}
