/** The process of a client, which sends requests with tokens to applications, and waits for their answers. */
import { connect, type Socket } from 'node:net';
import { answerParent } from '../child.js';

/** Requests to an application. */
export interface Requests {
  readonly port: number;
  readonly tokens: readonly string[];
  /** How many are sent before their answers are waited for. */
  readonly atOnce: number;
}

const ANSWER = /^HTTP\/1\.1 (\d+) [^]*?\r\ncontent-length: (\d+)\r\n[^]*?\r\n\r\n/i;

/** A connection to an application, which is kept. */
class Connection {
  readonly #socket: Socket;
  readonly #statuses: AsyncGenerator<string>;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#statuses = statusesOf(this.#socket.setEncoding('latin1'));
  }

  async send(tokens: readonly string[]): Promise<void> {
    const requests = tokens.map((token) => `GET / HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    this.#socket.write(requests.join(''));
    for (const _ of tokens) {
      const { value } = (await this.#statuses.next()) as { value: string | undefined };
      if (value !== '200') throw new Error(`A valid token was refused: ${value ?? 'the connection has ended'}.`);
    }
  }
}

/** The status of each answer that comes. */
async function* statusesOf(socket: Socket): AsyncGenerator<string> {
  let unread = '';
  for await (const text of socket as AsyncIterable<string>) {
    unread += text;
    for (let answer = ANSWER.exec(unread); answer; answer = ANSWER.exec(unread)) {
      const [head, status, length] = answer as unknown as [string, string, string];
      const end = head.length + Number(length);
      if (unread.length < end) break;
      unread = unread.slice(end);
      yield status;
    }
  }
}

const connections = new Map<number, Connection>();

answerParent(async ({ port, tokens, atOnce }: Requests): Promise<void> => {
  const connection = connections.get(port) ?? new Connection(port);
  connections.set(port, connection);
  for (let from = 0; from < tokens.length; from += atOnce) await connection.send(tokens.slice(from, from + atOnce));
});
