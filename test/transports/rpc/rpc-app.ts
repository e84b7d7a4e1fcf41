import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { INestApplication } from '@nestjs/common';
import {
  type ClientOptions,
  type ClientProxy,
  ClientProxyFactory,
  type MicroserviceOptions,
  type MqttOptions,
  MqttRecordBuilder,
  type NatsOptions,
  NatsRecordBuilder,
  type RedisOptions,
  type RmqOptions,
  RmqRecordBuilder,
  type TcpOptions,
  Transport,
} from '@nestjs/microservices';
import { headers as natsHeaders } from '@nats-io/transport-node';
import { firstValueFrom } from 'rxjs';
import { describe } from 'vitest';
import { freePort } from '../../support/free-port.js';

export type Broker = 'tcp' | 'redis' | 'nats' | 'rabbitmq' | 'mqtt';

const PORTS = { tcp: undefined, redis: 6379, nats: 4222, rabbitmq: 5672, mqtt: 1883 } satisfies Record<
  Broker,
  number | undefined
>;

/** In the patterns of this run, for brokers bring messages to the services of all runs that listen to theirs. */
const RUN = randomBytes(6).toString('hex');

/** A pattern that no other run of a suite listens to. */
export function pattern(name: string): object {
  return { name, run: RUN };
}

/** Runs a suite on each transport whose broker is there; of the others it says that they are not. */
export async function describeBrokers(
  title: string,
  suite: (broker: Broker) => void,
  wanted: readonly Broker[] = ['tcp', 'redis', 'nats', 'rabbitmq', 'mqtt'],
): Promise<void> {
  const brokers: Broker[] = [];
  for (const broker of wanted) {
    const port = PORTS[broker];
    if (port === undefined || (await answersAt(port))) brokers.push(broker);
    else process.stderr.write(`${title} on ${broker}: skipped, nothing answers at 127.0.0.1:${port}\n`);
  }
  describe.each(brokers)(`${title} on %s`, (broker) => suite(broker));
}

async function answersAt(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}

/** Those of the transports that are tested. */
export type ServiceOptions = TcpOptions | RedisOptions | NatsOptions | RmqOptions | MqttOptions;

/** A consumer's way to acknowledge is none of its clients. */
function clientOptions(service: ServiceOptions): ClientOptions {
  if (service.transport !== Transport.RMQ) return service as ClientOptions;
  const { noAck: _, prefetchCount: __, ...options } = service.options ?? {};
  return { transport: Transport.RMQ, options };
}

/** How a service of a transport listens, and its clients reach it. */
export async function optionsOf(broker: Broker, more: object = {}): Promise<ServiceOptions> {
  switch (broker) {
    case 'tcp':
      return { transport: Transport.TCP, options: { host: '127.0.0.1', port: await freePort() } };
    case 'redis':
      return { transport: Transport.REDIS, options: { host: '127.0.0.1', port: PORTS.redis } };
    case 'nats':
      return { transport: Transport.NATS, options: { servers: [`nats://127.0.0.1:${PORTS.nats}`] } };
    case 'mqtt':
      // Before version 5 messages have no properties.
      return { transport: Transport.MQTT, options: { url: `mqtt://127.0.0.1:${PORTS.mqtt}`, protocolVersion: 5 } };
    case 'rabbitmq': {
      const queue = `nest_sessions_${randomBytes(6).toString('hex')}`;
      const queueOptions = { durable: false, autoDelete: true };
      return {
        transport: Transport.RMQ,
        options: { urls: [`amqp://127.0.0.1:${PORTS.rabbitmq}`], queue, queueOptions, ...more },
      };
    }
  }
}

/** Starts the service of a transport beside an application, with its guards. */
export function withService(options: MicroserviceOptions): (app: INestApplication) => Promise<unknown> {
  return async (app) => {
    app.connectMicroservice(options, { inheritAppConfig: true });
    return app.startAllMicroservices();
  };
}

/** A client of a service. */
export class RpcClient {
  readonly #proxy: ClientProxy;

  constructor(
    private readonly broker: Broker,
    options: ServiceOptions,
  ) {
    this.#proxy = ClientProxyFactory.create(clientOptions(options));
  }

  /** What comes of a message; its token is in a header where the transport has any. */
  async send(name: string, authToken?: string, payload: object = {}): Promise<unknown> {
    return firstValueFrom(this.#proxy.send(pattern(name), this.#record(authToken, payload)));
  }

  async emit(name: string, authToken?: string, payload: object = {}): Promise<void> {
    await firstValueFrom(this.#proxy.emit(pattern(name), this.#record(authToken, payload)), {
      defaultValue: undefined,
    });
  }

  async close(): Promise<void> {
    await this.#proxy.close();
  }

  #record(authToken: string | undefined, payload: object): unknown {
    if (authToken === undefined) return payload;
    const authorization = `Bearer ${authToken}`;
    if (this.broker === 'rabbitmq')
      return new RmqRecordBuilder(payload).setOptions({ headers: { authorization } }).build();
    if (this.broker === 'mqtt')
      return new MqttRecordBuilder(payload).setProperties({ userProperties: { authorization } }).build();
    if (this.broker !== 'nats') return { ...payload, authToken };
    const headers = natsHeaders();
    headers.set('Authorization', authorization);
    return new NatsRecordBuilder(payload).setHeaders(headers).build();
  }
}

export const PROTO = join(fileURLToPath(new URL('.', import.meta.url)), 'notes.proto');
