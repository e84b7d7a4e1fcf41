import type { IncomingMessage } from 'node:http';
import type { Type } from '@nestjs/common';
import { ExecutionContextHost } from '../nest-internals.js';

/** The opening of a socket, presented to guards like a message: its data is the handshake, its handler `handleConnection`. */
export class ConnectionContext extends ExecutionContextHost {
  constructor(client: object, handshake: IncomingMessage, gateway: Type, handler: (...args: never[]) => unknown) {
    super([client, handshake, 'connection'], gateway, handler);
    this.setType('ws');
  }
}
