import { connect, type Socket } from 'node:net';

/** Header fields as they go over the wire: names, and values of any bytes. */
export type RawHeaders = readonly (readonly [name: string, value: Buffer])[];

/** A GET request with these header fields, whatever they hold. */
export function rawRequest(path: string, headers: RawHeaders): Buffer {
  const fields = headers.flatMap(([name, value]) => [Buffer.from(`${name}: `), value, Buffer.from('\r\n')]);
  return Buffer.concat([Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n`), ...fields, Buffer.from('\r\n')]);
}

/** A connection to the demo on which requests follow each other; opened anew where the demo closed it. */
export class RawConnection {
  #socket: Socket | undefined;
  #received = '';
  #closed = false;
  #wake = (): void => undefined;
  #ended: Promise<Error | undefined> = Promise.resolve(undefined);

  constructor(private readonly port: number) {}

  /** Sends one request and gives the status of its response. */
  async statusOf(request: Buffer): Promise<number> {
    this.#send(request);
    const status = await this.#nextStatus();
    if (status === undefined) throw new Error('The demo closed the connection without an answer.');
    // What else came would be an answer to nothing.
    if (this.#received !== '') throw new Error('The demo answered one request twice.');
    return status;
  }

  /** Sends text that may hold several requests, or parts of them, and gives every status until the demo is done. */
  async statusesOf(text: Buffer): Promise<number[]> {
    this.close();
    this.#send(text);
    const statuses: number[] = [];
    for (let status = await this.#nextStatus(); status !== undefined; status = await this.#nextStatus()) {
      statuses.push(status);
      this.#socket?.end();
    }
    return statuses;
  }

  /** How the connection ends, which the demo is about to do: well, or with an error. */
  async ended(): Promise<Error | undefined> {
    return this.#ended;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#received = '';
    this.#closed = false;
  }

  #send(bytes: Buffer): void {
    if (this.#closed) this.close();
    if (!this.#socket) this.#open();
    this.#socket!.write(bytes);
  }

  #open(): void {
    const socket = connect(this.port, '127.0.0.1');
    this.#socket = socket;
    socket.setEncoding('latin1');
    const ifCurrent = (change: () => void) => (): void => {
      if (socket !== this.#socket) return;
      change();
      this.#wake();
    };
    socket.on('data', (chunk: string) => ifCurrent(() => (this.#received += chunk))());
    socket.on(
      'end',
      ifCurrent(() => (this.#closed = true)),
    );
    socket.on(
      'close',
      ifCurrent(() => (this.#closed = true)),
    );
    this.#ended = new Promise((resolve) => {
      let failure: Error | undefined;
      socket.on('error', (error) => (failure = error));
      socket.on('close', () => resolve(failure));
    });
  }

  /** The status of the next response, as soon as all of it is there; none where the demo has closed the connection. */
  async #nextStatus(): Promise<number | undefined> {
    for (;;) {
      const response = /^HTTP\/1\.1 (\d{3})[^]*?\r\n\r\n/.exec(this.#received);
      const end = response ? response[0].length + bodyLength(response[0]) : Infinity;
      if (response && this.#received.length >= end) {
        this.#received = this.#received.slice(end);
        if (/\r\nconnection: *close\r\n/i.test(response[0])) this.#closed = true;
        return Number(response[1]);
      }
      if (this.#closed) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

function bodyLength(head: string): number {
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}
