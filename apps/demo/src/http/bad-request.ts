import type { Server } from 'node:http';

const RESPONSE = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
const LINGER_MS = 2000;

/**
 * Answers 400 to requests that Node's parser refuses, including those with headers that are too large.
 *
 * The rest of such a request is read and dropped for a while: closing at once would reset the connection, and the client
 * would not see the answer. @see RFC 9112, 9.6
 */
export function answerBadRequests(server: Server): void {
  server.on('clientError', (_error, socket) => {
    if (!socket.writable) return;
    socket.end(RESPONSE);
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
  });
}
