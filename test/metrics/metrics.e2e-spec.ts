import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SessionsMetrics, SessionsTable, type TableMetrics } from '@app/sessions';
import { TableMeter } from '../../libs/sessions/src/metrics/table-metrics.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describeStorages, useApplication } from '../support/application.js';
import { tableUnder } from '../docs/markdown.js';

class Sessions extends SessionsTable({ cache: { channel: null }, lastUse: true }) {}
class Plain extends SessionsTable({ table: 'plain' }) {}

const UNKNOWN = 'x'.repeat(64);

describeStorages('the numbers of tables', (name) => {
  const app = useApplication(name, { tables: [Sessions, Plain], options: { defaultTable: 'sessions' } });
  const now = (): TableMetrics[] => app.get(SessionsMetrics).all();
  let before: TableMetrics[];
  beforeEach(() => {
    before = now();
  });

  /** What has been counted of a table since the test began. */
  function counted(table: 'sessions' | 'plain'): Record<string, number> {
    const of = (all: readonly TableMetrics[]) => all.find((one) => one.table === table)!.counters;
    const [from, to] = [of(before), of(now())];
    const changes = Object.entries(to).map(([key, value]) => [key, value - from[key as keyof typeof from]] as const);
    return Object.fromEntries(changes.filter(([, change]) => change !== 0));
  }

  it('are those of each, by its name', () => {
    expect(now().map(({ table }) => table)).toEqual(['sessions', 'plain']);
  });

  it('count statements of look-ups, and the tokens that they look up', async () => {
    const tokens = await Promise.all(
      Array.from({ length: 5 }, async () => (await app.get(Plain).create({})).authToken),
    );
    await Promise.all(tokens.map((token) => app.get(Plain).authenticate(token)));
    const { lookUpStatements, lookUpTokens, ...others } = counted('plain');
    expect([lookUpTokens, others]).toEqual([5, {}]);
    // In this process each is found at once.
    expect(lookUpStatements).toBe(name === 'memory' || name === 'sqlite' ? 5 : 2);
    await app.get(Plain).authenticate('not a token');
    expect(counted('plain')['lookUpTokens']).toBe(5);
    expect(counted('sessions')).toEqual({});
  });

  it('count hits and misses of the near cache', async () => {
    const { authToken } = await app.get(Sessions).create({});
    for (const token of [authToken, UNKNOWN]) {
      for (let i = 0; i < 3; i++) await app.get(Sessions).authenticate(token);
    }
    await app.get(Sessions).authenticate(authToken, { authoritative: true });
    expect(counted('sessions')).toMatchObject({ cacheHits: 4, cacheMisses: 2, lookUpTokens: 3 });
    expect(now()[0]!.gauges.cacheEntries).toBeGreaterThanOrEqual(2);
  });

  it('count uses that wait, are written, and are given up', async () => {
    const { lastUse } = app.get(SessionsRegistry).store(Sessions);
    await lastUse!.flush();
    const { authToken } = await app.get(Sessions).create({});
    await app.get(Sessions).authenticate(authToken);
    expect(now()[0]!.gauges.lastUsesPending).toBe(1);
    await lastUse!.flush();
    expect(now()[0]!.gauges.lastUsesPending).toBe(0);
    expect(counted('sessions')).toMatchObject({ lastUsesWritten: 1 });
  });

  it('that nothing moves are 0', () => {
    const { counters, gauges } = now()[1]!;
    expect(counters).toMatchObject({ lookUpsRefused: 0, lookUpsBroken: 0, lookUpsTimedOut: 0, lastUsesDropped: 0 });
    expect(gauges).toEqual({
      lookUpsInFlight: 0,
      lookUpsWaiting: 0,
      breakerOpen: 0,
      cacheEntries: 0,
      lastUsesPending: 0,
    });
  });

  describe('go to a channel', () => {
    const heard: unknown[] = [];
    const hear = (message: unknown): unknown => heard.push(message);
    afterEach(() => {
      unsubscribe('nest-sessions:metrics:lookUpTokens', hear);
      heard.length = 0;
    });

    it('of each counter, as they change', async () => {
      await app.get(Plain).authenticate(UNKNOWN);
      subscribe('nest-sessions:metrics:lookUpTokens', hear);
      await app.get(Plain).authenticate(UNKNOWN);
      expect(heard).toEqual([{ table: 'plain', by: 1 }]);
    });
  });
});

it.each(['counters', 'gauges'] as const)('the %s of the documentation are those that there are', (kind) => {
  const text = readFileSync(fileURLToPath(new URL('../../docs/scaling.md', import.meta.url)), 'utf8');
  const listed = tableUnder(text, `metrics: ${kind}`).map(([metric]) => metric!.replaceAll('`', ''));
  expect(listed).toEqual(Object.keys(new TableMeter('sessions').read()[kind]));
});
