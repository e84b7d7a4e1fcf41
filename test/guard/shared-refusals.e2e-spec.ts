import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { RefusalBudget } from '@app/sessions';
import { TooManyRefusalsError } from '../../libs/sessions/src/guard/refusal-budget.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

const POINTS = 5;
const url = inject('redisUrl');

describe.skipIf(url === undefined)('refusals that several processes count in Redis', () => {
  const clients: Redis[] = [];
  const prefix = `refusals-${randomUUID()}`;
  let proxy: TcpProxy;
  beforeAll(async () => {
    const { hostname, port } = new URL(url!);
    proxy = new TcpProxy({ host: hostname, port: Number(port || 6379) });
    await proxy.open();
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await proxy.cut();
  });

  /** The budget of a process. */
  function budgetOf(address: string): RefusalBudget {
    const storeClient = new Redis(address);
    // It goes on trying, and tells of each time.
    storeClient.on('error', () => undefined);
    clients.push(storeClient);
    const limiter = (keyPrefix: string): RateLimiterRedis =>
      new RateLimiterRedis({ storeClient, keyPrefix: `${prefix}-${keyPrefix}`, points: POINTS, duration: 60 });
    return new RefusalBudget({ perAddress: limiter('address'), perAccount: limiter('account') });
  }

  const requestOf = (ip: string) => ({ ip, headers: {} });

  it('are bounded for all of them together, with when to come again', async () => {
    const [one, two] = [budgetOf(url!), budgetOf(url!)];
    const request = requestOf('192.0.2.1');
    const told = Array.from({ length: 2 * POINTS }, (_, i) => (i % 2 ? one : two).onRefused(request));
    const refused = (await Promise.allSettled(told)).filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(POINTS);
    const error = await one.onRefused(request).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TooManyRefusalsError);
    expect((error as TooManyRefusalsError).retryAfter).toBeGreaterThan(0);
    expect((error as TooManyRefusalsError).retryAfter).toBeLessThanOrEqual(60);
    await expect(two.onRefused(requestOf('192.0.2.2'))).resolves.toBeUndefined();
  });

  it('are no more where the proofs were right', async () => {
    const [one, two] = [budgetOf(url!), budgetOf(url!)];
    for (let i = 0; i < 2 * POINTS; i++) {
      const request = requestOf(`198.51.100.${i}`);
      expect(await (i % 2 ? one : two).attempt(request, 'ada', async () => 'in')).toBe('in');
    }
  });

  it('are counted no more, and keep nobody out, while Redis cannot be reached', async () => {
    const budget = budgetOf(proxy.through(url!));
    const request = requestOf('203.0.113.1');
    await budget.onRefused(request);
    await proxy.cut();
    await Promise.all(Array.from({ length: 2 * POINTS }, () => budget.onRefused(request)));
    expect(await budget.attempt(request, 'bob', async () => 'in')).toBe('in');
    await proxy.open();
    const isBounded = async (): Promise<boolean> => {
      const told = Array.from({ length: 2 * POINTS }, () => budget.onRefused(request));
      return (await Promise.allSettled(told)).some(({ status }) => status === 'rejected');
    };
    await expect.poll(isBounded, UNTIL_IT_HANGS).toBe(true);
  });
});
