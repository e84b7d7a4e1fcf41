import { Controller, UseGuards } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, RmqContext } from '@nestjs/microservices';
import { afterEach, expect, it, vi } from 'vitest';
import { CurrentSession, SessionGuard } from '@app/sessions';
import { GuardedApp, Sessions } from '../../guard/guarded-app.js';
import { describeBrokers, optionsOf, pattern, RpcClient, type ServiceOptions, withService } from './rpc-app.js';

@UseGuards(SessionGuard)
@Controller()
class Notes {
  readonly seen: string[] = [];

  @EventPattern(pattern('noted'))
  noted(@CurrentSession('userId') userId: string, @Ctx() context: unknown): void {
    this.seen.push(userId);
    acknowledge(context as RmqContext);
  }

  /** Both handlers of an event refuse it, and reject its message once. */
  @EventPattern(pattern('noted'))
  notedAgain(@Ctx() context: unknown): void {
    void context;
  }

  @MessagePattern(pattern('me'))
  me(@CurrentSession('userId') userId: string, @Ctx() context: unknown): string {
    acknowledge(context as RmqContext);
    return userId;
  }
}

function acknowledge(context: RmqContext): void {
  const channel = context.getChannelRef() as { ack(message: unknown): void };
  channel.ack(context.getMessage());
}

await describeBrokers(
  'refused messages that are acknowledged by hand',
  (broker) => {
    let options: ServiceOptions;
    let app: GuardedApp;
    let client: RpcClient;
    let token: string;
    afterEach(async () => {
      await client.close();
      await app.close();
    });

    async function start(refusedMessages?: 'nack'): Promise<Notes> {
      options = await optionsOf(broker, { noAck: false, prefetchCount: 1 });
      app = await GuardedApp.start('express', {
        tables: [Sessions],
        controllers: [Notes],
        options: refusedMessages ? { rpc: { refusedMessages } } : {},
        prepare: withService(options),
      });
      client = new RpcClient(broker, options);
      ({ authToken: token } = await app.get(Sessions).create({ userId: 'ann' }));
      return app.get(Notes);
    }

    it('are rejected where forRoot says so, and the next ones come', async () => {
      const notes = await start('nack');
      await client.emit('noted');
      await client.emit('noted', 'x'.repeat(64));
      await expect(client.send('me')).rejects.toMatchObject({ errorCode: 'ERR_SESSION_REQUIRED' });
      expect(await client.send('me', token)).toBe('ann');
      await client.emit('noted', token);
      await expect.poll(() => notes.seen).toEqual(['ann']);
    });

    it('are put back where their token could not be looked up, so that no event is lost', async () => {
      const notes = await start('nack');
      const failing = vi.spyOn(app.get(Sessions), 'authenticate').mockRejectedValue(new Error('connection lost'));
      await client.emit('noted', token);
      await expect.poll(() => failing.mock.calls.length).toBeGreaterThanOrEqual(2);
      expect(notes.seen).toEqual([]);
      failing.mockRestore();
      await expect.poll(() => notes.seen).toEqual(['ann']);
    });
  },
  ['rabbitmq'],
);
