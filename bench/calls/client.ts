/** The process of a client: `client.js <address> <token>` sends messages to a gateway, and waits for their answers. */
import { once } from 'node:events';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { answerParent } from '../child.js';

/** Messages that have no answer yet. */
const AT_ONCE = 32;

/** What a client does with a connection. */
interface Connection {
  readonly send: () => void;
  readonly onAnswer: (answered: () => void) => void;
  /** Rejects when the connection is lost, and messages with it. */
  readonly lost: Promise<never>;
}

const [url, token] = process.argv.slice(2) as [string, string];
const connection = url.startsWith('http') ? connectIo() : connectWs();
// It is told to who asks.
connection.catch(() => undefined);

/** 0: when it is connected; else when so many messages are answered. */
answerParent(async (count: number): Promise<void> => {
  const connected = await connection;
  await Promise.race([connected.lost, answersOf(connected, count)]);
});

async function answersOf({ send, onAnswer }: Connection, count: number): Promise<void> {
  let [unsent, unanswered] = [count, count];
  if (count === 0) return;
  await new Promise<void>((resolve) => {
    const next = (): void => {
      unsent--;
      send();
    };
    onAnswer(() => {
      if (--unanswered === 0) resolve();
      else if (unsent > 0) next();
    });
    for (let i = 0; i < AT_ONCE; i++) next();
  });
}

async function connectIo(): Promise<Connection> {
  const socket = io(url, { transports: ['websocket'], reconnection: false, ...(token && { auth: { token } }) });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
  const lost = new Promise<never>((_, reject) => socket.once('disconnect', (reason) => reject(new Error(reason))));
  return {
    send: () => void socket.emit('ping'),
    onAnswer: (answered) => void socket.off('pong').on('pong', answered),
    lost,
  };
}

async function connectWs(): Promise<Connection> {
  const socket = new WebSocket(url, token ? [`bearer.${token}`, 'chat'] : []);
  await once(socket, 'open');
  const lost = once(socket, 'close').then(([code]) => {
    throw new Error(`closed by ${code}`);
  });
  return {
    send: () => socket.send('{"event":"ping"}'),
    onAnswer: (answered) => void socket.removeAllListeners('message').on('message', answered),
    lost,
  };
}
