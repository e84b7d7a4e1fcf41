import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Stands between an application and a server. It can be cut: open connections break, and new ones are refused; or hold back
 * all that is sent, as a network that fails without a word.
 */
export class TcpProxy {
  readonly #sockets = new Map<Socket, Socket>();
  #isHeld = false;
  #forgotten: ReadonlySet<Socket> = new Set();
  #server: Server | undefined;
  #port = 0;

  constructor(private readonly target: { readonly host: string; readonly port: number }) {}

  /** Begins to pass connections on; after a cut on the same port as before. */
  async open(): Promise<void> {
    this.#server = createServer((client) => {
      const upstream = connect(this.target);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.set(from, to);
        if (!this.#isHeld) from.pipe(to);
        from.once('error', () => to.destroy());
        from.once('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses new connections from now on, and breaks the open ones; resolves when both ends have seen it. */
  async cut(): Promise<void> {
    this.#server?.close();
    this.#server = undefined;
    const sockets = [...this.#sockets.keys()];
    const closed = sockets.map((socket) => once(socket, 'close'));
    // One that is ending, since its other end has gone, cannot be reset.
    for (const socket of sockets)
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    await Promise.all(closed);
    // The applications are in this process, and hear of it when the event loop next looks at their sockets.
    for (let turn = 0; turn < 3; turn++) await new Promise((resume) => setImmediate(resume));
  }

  /** Passes nothing on from now on, until {@link release}. */
  hold(): void {
    this.#isHeld = true;
    for (const [from, to] of this.#sockets) from.unpipe(to);
  }

  /** Passes nothing on any more on the connections that are open, as where a network has forgotten them; new ones work. */
  forget(): void {
    for (const [from, to] of this.#sockets) from.unpipe(to).pause();
    this.#forgotten = new Set(this.#sockets.keys());
  }

  /** Passes on what was sent meanwhile, and all that comes. */
  release(): void {
    this.#isHeld = false;
    for (const [from, to] of this.#sockets) if (!this.#forgotten.has(from)) from.pipe(to);
  }

  /** An address of the server, by way of the proxy. */
  through(url: string): string {
    const address = new URL(url);
    address.hostname = '127.0.0.1';
    address.port = String(this.#port);
    return address.href;
  }
}
