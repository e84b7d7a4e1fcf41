import { CONNECTION_CLOSED } from '../messages.js';
import type { ChannelConnection, InvalidationChannel } from './invalidation-channel.js';

/** The used part of `ioredis`. */
export interface IoRedisClient {
  duplicate(override: { lazyConnect: boolean; retryStrategy: () => null }): IoRedisSubscriber;
  publish(channel: string, message: string): Promise<unknown>;
}

export interface IoRedisSubscriber {
  connect(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  disconnect(): unknown;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
}

/** The used part of `redis`. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  readonly options: { readonly socket?: object };
  duplicate(override: { socket: { reconnectStrategy: false } }): NodeRedisSubscriber;
  publish(channel: string, message: string): Promise<unknown>;
}

export interface NodeRedisSubscriber {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  destroy(): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}

type Heard = (message: string) => void;
type Lost = (reason: unknown) => void;

/** Ends a subscription. */
type End = () => void;

/**
 * Publish and subscribe of Redis or Valkey. The application's client, of `ioredis` or of `redis`, sends messages; a connection
 * of the channel's own hears them.
 *
 * @example
 * ```ts
 * SessionsModule.forRoot({ cache: { channel: new RedisChannel(redis) } });
 * ```
 */
export class RedisChannel implements InvalidationChannel {
  /** @param name of the channel; give each application that shares the server another one */
  constructor(
    private readonly client: IoRedisClient | NodeRedisClient,
    private readonly name = 'nest-sessions',
  ) {}

  /** Subscribes to the channel on a connection of its own. */
  async connect(heard: Heard, lost: Lost): Promise<ChannelConnection> {
    const { client, name } = this;
    const end = await ('isOpen' in client
      ? subscribeNodeRedis(client, name, heard, lost)
      : subscribeIoRedis(client, name, heard, lost));
    return { publish: (message) => client.publish(name, message), close: async () => end() };
  }
}

async function subscribeIoRedis(client: IoRedisClient, name: string, heard: Heard, lost: Lost): Promise<End> {
  const subscriber = client.duplicate({ lazyConnect: true, retryStrategy: () => null });
  let reason: unknown = new Error(CONNECTION_CLOSED);
  subscriber.on('message', (channel, message) => channel === name && heard(message));
  subscriber.on('error', (error) => (reason = error));
  subscriber.on('close', () => lost(reason));
  const end = (): void => void subscriber.disconnect();
  return openOrEnd(end, async () => {
    await subscriber.connect();
    await subscriber.subscribe(name);
  });
}

async function subscribeNodeRedis(client: NodeRedisClient, name: string, heard: Heard, lost: Lost): Promise<End> {
  const subscriber = client.duplicate({ socket: { ...client.options.socket, reconnectStrategy: false } });
  subscriber.on('error', lost);
  subscriber.on('end', () => lost(new Error(CONNECTION_CLOSED)));
  const end = (): void => {
    if (subscriber.isOpen) subscriber.destroy();
  };
  return openOrEnd(end, async () => {
    await subscriber.connect();
    await subscriber.subscribe(name, heard);
  });
}

/** Starts a subscription, and cleans up if that fails. */
async function openOrEnd(end: End, begin: () => Promise<void>): Promise<End> {
  try {
    await begin();
    return end;
  } catch (error) {
    end();
    throw error;
  }
}
