import {
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
  type ServiceClientConstructor,
  type Client,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Controller } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { GrpcMethod, GrpcStreamCall, GrpcStreamMethod, Payload, Transport } from '@nestjs/microservices';
import { map, type Observable, of } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CurrentSession, RequireScopes, SessionGuard, SessionsTable } from '@app/sessions';
import { SESSION_REQUIRED } from '../../../libs/sessions/src/guard/messages.js';
import { GuardedApp } from '../../guard/guarded-app.js';
import { freePort } from '../../support/free-port.js';
import { PROTO, withService } from './rpc-app.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } }, scopes: ['ban'] }) {}

interface Answer {
  readonly userId: string;
}

/** A call whose handler takes it whole. */
interface WholeCall {
  on(event: 'data', listener: () => void): void;
  write(answer: Answer): void;
  end(): void;
}

@Controller()
class Notes {
  @GrpcMethod('Notes', 'Me')
  me(@CurrentSession('userId') userId: string): Answer {
    return { userId };
  }

  @RequireScopes('ban')
  @GrpcMethod('Notes', 'Ban')
  ban(@CurrentSession('userId') userId: string): Answer {
    return { userId };
  }

  @GrpcMethod('Notes', 'List')
  list(@CurrentSession('userId') userId: string): Observable<Answer> {
    return of({ userId }, { userId });
  }

  @GrpcStreamMethod('Notes', 'Talk')
  talk(@Payload() questions: Observable<object>, @CurrentSession('userId') userId: string): Observable<Answer> {
    return questions.pipe(map(() => ({ userId })));
  }

  @GrpcStreamCall('Notes', 'Whole')
  whole(call: WholeCall): void {
    call.on('data', () => call.write({ userId: 'whoever' }));
    call.end();
  }
}

type Calls = Client &
  Record<
    'Me' | 'Ban',
    (question: object, metadata: Metadata, done: (error: ServiceError | null, answer: Answer) => void) => void
  > &
  Record<'List', (question: object, metadata: Metadata) => AsyncIterable<Answer>> &
  Record<
    'Talk' | 'Whole',
    (metadata: Metadata) => AsyncIterable<Answer> & { write(question: object): void; end(): void }
  >;

async function listOf(stream: AsyncIterable<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for await (const answer of stream) answers.push(answer);
  return answers;
}

describe('the guard of gRPC', () => {
  let app: GuardedApp;
  let client: Calls;
  let token: string;
  beforeAll(async () => {
    const url = `127.0.0.1:${await freePort()}`;
    app = await GuardedApp.start('express', {
      tables: [Sessions],
      controllers: [Notes],
      providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
      prepare: withService({ transport: Transport.GRPC, options: { package: 'notes', protoPath: PROTO, url } }),
    });
    const { notes } = loadPackageDefinition(loadSync(PROTO)) as unknown as {
      notes: { Notes: ServiceClientConstructor };
    };
    client = new notes.Notes(url, credentials.createInsecure()) as unknown as Calls;
  });
  afterAll(async () => {
    client.close();
    await app.close();
  });
  beforeEach(async () => {
    ({ authToken: token } = await app.get(Sessions).create({ userId: 'ann' }));
  });

  const as = (authToken: string) => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${authToken}`);
    return metadata;
  };
  const call = async (method: 'Me' | 'Ban', metadata = new Metadata()): Promise<Answer> =>
    new Promise((resolve, reject) =>
      client[method]({ text: 'x' }, metadata, (error, answer) => (error ? reject(error) : resolve(answer))),
    );
  const refusalOf = async (answer: Promise<unknown>): Promise<ServiceError> =>
    answer.then(
      (given) => expect.fail(`answered ${JSON.stringify(given)}`),
      (error: ServiceError) => error,
    );
  const all = async (method: 'List' | 'Talk' | 'Whole', metadata = new Metadata()): Promise<Answer[]> => {
    if (method === 'List') return listOf(client.List({}, metadata));
    const stream = client[method](metadata);
    stream.write({ text: 'x' });
    stream.end();
    return listOf(stream);
  };

  it('gives the session to calls, and to streams either way', async () => {
    expect(await call('Me', as(token))).toEqual({ userId: 'ann' });
    expect(await all('List', as(token))).toEqual([{ userId: 'ann' }, { userId: 'ann' }]);
    expect(await all('Talk', as(token))).toEqual([{ userId: 'ann' }]);
  });

  it('refuses with the codes of gRPC, and a challenge after the answer, and logs nothing', async () => {
    const logged = app.http.logs.lines.length;
    const refusal = await refusalOf(call('Me'));
    expect(refusal).toMatchObject({ code: 16, details: SESSION_REQUIRED });
    expect(refusal.metadata.get('www-authenticate')).toEqual(['Bearer realm="api"']);
    expect(await refusalOf(call('Me', as('x'.repeat(64))))).toMatchObject({ code: 16 });
    const lacking = await refusalOf(call('Ban', as(token)));
    expect(lacking).toMatchObject({ code: 7 });
    expect(lacking.metadata.get('www-authenticate')).toEqual([
      'Bearer realm="api", error="insufficient_scope", scope="ban"',
    ]);
    expect(app.http.logs.lines.slice(logged)).toEqual([]);
  });

  it.each(['List', 'Talk', 'Whole'] as const)('refuses the stream %s', async (method) => {
    const logged = app.http.logs.lines.length;
    expect(await refusalOf(all(method))).toMatchObject({ code: 16 });
    expect(app.http.logs.lines.slice(logged)).toEqual([]);
  });

  it('says in an outage that it is one', async () => {
    const failing = vi.spyOn(app.get(Sessions), 'authenticate').mockRejectedValue(new Error('connection lost'));
    expect(await refusalOf(call('Me', as(token)))).toMatchObject({ code: 14 });
    failing.mockRestore();
    expect(await call('Me', as(token))).toEqual({ userId: 'ann' });
  });
});
