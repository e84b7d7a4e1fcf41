import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between an application and a server, and can be cut: open connections break, and new ones are refused. */
export class TcpProxy {
  readonly #sockets = new Set<Socket>();
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
        this.#sockets.add(from);
        from.pipe(to);
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
    const closed = [...this.#sockets].map((socket) => once(socket, 'close'));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await Promise.all(closed);
    // The applications are in this process, and hear of it when the event loop next looks at their sockets.
    for (let turn = 0; turn < 3; turn++) await new Promise((resume) => setImmediate(resume));
  }

  /** An address of the server, by way of the proxy. */
  through(url: string): string {
    const address = new URL(url);
    address.hostname = '127.0.0.1';
    address.port = String(this.#port);
    return address.href;
  }
}
