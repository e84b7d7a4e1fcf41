import { loadPackageDefinition, Metadata, credentials, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { headers as natsHeaders } from '@nats-io/transport-node';
import { Controller, type INestMicroservice, UseGuards } from '@nestjs/common';
import {
  type ClientProxy,
  ClientProxyFactory,
  GrpcMethod,
  MessagePattern,
  type MicroserviceOptions,
  MqttRecordBuilder,
  NatsRecordBuilder,
  RmqRecordBuilder,
  Transport,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { CurrentSession, SessionGuard, SessionsTable } from '@app/sessions';
import { actingAs, SessionsTestingModule } from '@app/sessions/testing';
import { freePort } from '../support/free-port.js';
import { type Broker, describeBrokers, optionsOf, pattern, PROTO } from '../transports/rpc/rpc-app.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' } },
  credentials: ['bearer', { payload: 'authToken' }],
}) {}

@UseGuards(SessionGuard)
@Controller()
class Notes {
  @MessagePattern(pattern('me'))
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @GrpcMethod('Notes', 'Me')
  meOfGrpc(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

let service: INestMicroservice | undefined;
afterEach(() => service?.close());

async function start(options: MicroserviceOptions): Promise<INestMicroservice> {
  const module = await Test.createTestingModule({
    imports: [SessionsTestingModule.forTables([Sessions])],
    controllers: [Notes],
  }).compile();
  service = module.createNestMicroservice(options);
  await service.listen();
  return service;
}

/** What a client sends, as docs/testing.md has it. */
const RECORDS: Readonly<Record<Broker, (app: INestMicroservice) => Promise<unknown>>> = {
  tcp: async (app) => actingAs(app, Sessions, { userId: 'ann' }, 'payload'),
  redis: async (app) => actingAs(app, Sessions, { userId: 'ann' }, 'payload'),
  async nats(app) {
    const headers = natsHeaders();
    for (const [name, value] of Object.entries(await actingAs(app, Sessions, { userId: 'ann' })))
      headers.set(name, value);
    return new NatsRecordBuilder({}).setHeaders(headers).build();
  },
  async rabbitmq(app) {
    const headers = await actingAs(app, Sessions, { userId: 'ann' });
    return new RmqRecordBuilder({}).setOptions({ headers }).build();
  },
  async mqtt(app) {
    const userProperties = await actingAs(app, Sessions, { userId: 'ann' });
    return new MqttRecordBuilder({}).setProperties({ userProperties }).build();
  },
};

await describeBrokers('actingAs for messages', (broker) => {
  it('gives what a record carries', async () => {
    const options = await optionsOf(broker);
    const app = await start(options);
    const client: ClientProxy = ClientProxyFactory.create(options as Parameters<typeof ClientProxyFactory.create>[0]);
    const answer = client.send<string>(pattern('me'), await RECORDS[broker](app));
    expect(await firstValueFrom(answer)).toBe('ann');
    await client.close();
  });
});

describe('actingAs for gRPC', () => {
  it('gives the metadata of a call', async () => {
    const url = `127.0.0.1:${await freePort()}`;
    const app = await start({ transport: Transport.GRPC, options: { package: 'notes', protoPath: PROTO, url } });
    const metadata = Metadata.fromHttp2Headers(await actingAs(app, Sessions, { userId: 'ann' }));
    const { notes } = loadPackageDefinition(loadSync(PROTO)) as unknown as {
      notes: { Notes: ServiceClientConstructor };
    };
    const client = new notes.Notes(url, credentials.createInsecure());
    const answer = new Promise((resolve, reject) =>
      client['Me']!({}, metadata, (error: Error | null, given: unknown) => (error ? reject(error) : resolve(given))),
    );
    expect(await answer).toEqual({ userId: 'ann' });
    client.close();
  });
});
