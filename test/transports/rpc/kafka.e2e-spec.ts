import { Catch, Controller, HttpException, type RpcExceptionFilter, UseFilters } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { EventPattern, MessagePattern, ServerKafka } from '@nestjs/microservices';
import { type Observable, of, throwError } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { CurrentSession, SessionGuard } from '@app/sessions';
import { GuardedApp, Sessions } from '../../guard/guarded-app.js';
import { UNTIL_IT_HANGS } from '../../support/until.js';
import { withService } from './rpc-app.js';

/** Nest's own server of Kafka: it is handed what a broker would bring, and keeps what it would send. */
class KafkaWithoutBroker extends ServerKafka {
  readonly sent: unknown[] = [];

  constructor() {
    super({});
    this.getPublisher = () => async (answer: unknown) => {
      this.sent.push(answer);
      return [];
    };
  }

  override async listen(listening: () => void): Promise<void> {
    listening();
  }

  /** What KafkaJS hands over: all headers are bytes. It hands a message over again that is not settled. */
  async deliver(topic: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const bytes = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));
    const message = { key: null, value: Buffer.from('{}'), timestamp: '', attributes: 0, offset: '0', headers: bytes };
    await this.handleMessage({ topic, partition: 0, message } as unknown as Parameters<
      ServerKafka['handleMessage']
    >[0]);
  }

  /** The answer to a message that waits for one. */
  async ask(topic: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
    this.sent.length = 0;
    await this.deliver(topic, { kafka_correlationId: '1', kafka_replyTopic: `${topic}.reply`, ...headers });
    await vi.waitUntil(() => this.sent.length > 0, UNTIL_IT_HANGS);
    return this.sent[0];
  }
}

/** As docs/transports.md has it. */
@Catch(HttpException)
class SkipRefused implements RpcExceptionFilter<HttpException> {
  catch(refusal: HttpException): Observable<unknown> {
    return refusal.getStatus() === 503 ? throwError(() => refusal) : of(undefined);
  }
}

@Controller()
class Notes {
  static readonly seen: string[] = [];

  @MessagePattern('me')
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @EventPattern('noted')
  noted(@CurrentSession('userId') userId: string): void {
    Notes.seen.push(userId);
  }

  @UseFilters(SkipRefused)
  @EventPattern('skipped')
  skipped(@CurrentSession('userId') userId: string): void {
    Notes.seen.push(userId);
  }
}

process.stderr.write('the guard of messages on kafka: by what Nest makes of messages, since no broker is here\n');

describe('the guard of messages on kafka', () => {
  const kafka = new KafkaWithoutBroker();
  let app: GuardedApp;
  let authorization: string;
  beforeAll(async () => {
    app = await GuardedApp.start('express', {
      tables: [Sessions],
      controllers: [Notes],
      providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
      prepare: withService({ strategy: kafka }),
    });
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    Notes.seen.length = 0;
    authorization = `Bearer ${(await app.get(Sessions).create({ userId: 'ann' })).authToken}`;
  });

  it('takes the token from a header of the message', async () => {
    expect(await kafka.ask('me', { Authorization: authorization })).toMatchObject({ response: 'ann' });
    await kafka.deliver('noted', { authorization });
    expect(Notes.seen).toEqual(['ann']);
  });

  it('answers a refusal as other transports do', async () => {
    for (const [headers, errorCode] of [
      [{}, 'ERR_SESSION_REQUIRED'],
      [{ authorization: `Bearer ${'x'.repeat(64)}` }, 'ERR_SESSION_TOKEN_INVALID'],
    ] as const)
      expect(await kafka.ask('me', headers)).toMatchObject({ err: { statusCode: 401, errorCode, code: 16 } });
  });

  it('fails a refused event, which KafkaJS delivers again, unless a filter says that it is settled', async () => {
    const logged = app.http.logs.lines.length;
    await expect(kafka.deliver('noted', {})).rejects.toMatchObject({ status: 'error' });
    await kafka.deliver('skipped', {});
    expect(Notes.seen).toEqual([]);
    await kafka.deliver('skipped', { authorization });
    expect(Notes.seen).toEqual(['ann']);
    expect(app.http.logs.lines.slice(logged)).toEqual([]);
  });

  it('loses no event that nobody could look up', async () => {
    const failing = vi.spyOn(app.get(Sessions), 'authenticate').mockRejectedValue(new Error('connection lost'));
    await expect(kafka.deliver('skipped', { authorization })).rejects.toMatchObject({ retryAfter: 1 });
    failing.mockRestore();
    await kafka.deliver('skipped', { authorization });
    expect(Notes.seen).toEqual(['ann']);
  });
});
