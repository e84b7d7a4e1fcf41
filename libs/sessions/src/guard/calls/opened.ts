import { isObject } from '../../errors/option-types.js';
import { SESSION_OVER } from '../messages.js';

/** A stream or socket that a call opens and that ends with its session. */
export interface Opened {
  /** The stream or the socket itself. */
  readonly of: object;
  isOpen(): boolean;
  end(): void;
  whenClosed(closed: () => void): void;
}

/** The close code for clients that must sign in again; clients of graphql-ws do not retry by themselves. */
const SIGN_IN_AGAIN = 4401;
/** The close code for clients that may retry by themselves later. */
const TRY_AGAIN_LATER = 1013;
const INTERNAL_ERROR = 1011;
const ENDED = 'ERR_SESSION_ENDED';

/** The close code of a refused connection. Codes from 4000 on belong to the application (RFC 6455, 7.4.2). */
export function closeCodeOf(statusCode: number): number {
  if (statusCode === 503 || statusCode === 429) return TRY_AGAIN_LATER;
  return statusCode < 500 ? 4000 + statusCode : INTERNAL_ERROR;
}

/** The used part of Node's response, for HTTP/1 and HTTP/2. */
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
      // Ignore the error when the producer writes before the connection is closed.
      stream.on('error', () => undefined);
      stream.end(() => stream.destroy?.());
    },
    whenClosed: (closed) => stream.once('close', closed),
  };
}

/** The used part of a WebSocket of `ws`. */
export interface RawSocket {
  readonly readyState: number;
  close(code: number, reason: string): void;
  once(event: 'close', closed: () => void): void;
}

const OPEN = 1;

// Classes, because every message creates one.

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

/** The used part of a Socket.IO socket. */
interface IoSocket {
  readonly connected: boolean;
  /** The connection that it shares with sockets of other namespaces. */
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

/** A Socket.IO socket whose client does not reconnect by itself. */
class OpenedIoSocket implements Opened {
  constructor(
    readonly of: IoSocket,
    private readonly isConnecting: boolean,
  ) {}

  isOpen(): boolean {
    return this.isConnecting ? this.of.conn.readyState === 'open' : this.of.connected;
  }

  end(): void {
    // A socket that is still being opened takes no event and cannot be disconnected.
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
    // A socket that was never open emits no disconnect.
    socket.conn.once('close', gone);
  }
}
