import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BaseSession } from '../session/session.js';
import { sessionColumns } from '../table/columns.js';
import { SessionCloner } from './session-cloner.js';
import { NearCache, type Reading } from './near-cache.js';

const TTL = 1000;
const { columns: COLUMNS } = sessionColumns({});
const MINUTE = 60_000;

function cacheOf(maxEntries = 100): NearCache {
  return new NearCache({ maxEntries, ttlMs: TTL }, new SessionCloner(COLUMNS.values()));
}

function sessionOf(id: string, data: Record<string, unknown> = {}): BaseSession {
  const at = new Date(0);
  return { id, data, expiresAt: new Date(MINUTE), isExpired: false, createdAt: at, updatedAt: at };
}

const UNKNOWN = { type: 'refused', reason: 'unknown' } as const;

/** Caches a result: a session, or that there is none. */
function keep(cache: NearCache, session: BaseSession | null, reading: Reading, end?: number): void {
  if (session) cache.keep('digest', session, reading, end);
  else cache.keepRefused('digest', UNKNOWN, reading);
}

describe('a near cache', () => {
  it('gives the session that was kept, a copy of its own to each', () => {
    const cache = cacheOf();
    const kept = sessionOf('1', { device: { names: ['phone'] }, at: null });
    cache.keep('digest', kept, cache.reading(0));
    kept.data!['device'] = 'changed by the first reader';
    const found = cache.find('digest', 1)!;
    expect(found).toEqual(sessionOf('1', { device: { names: ['phone'] }, at: null }));
    (found.data!['device'] as { names: string[] }).names[0] = 'changed';
    found.expiresAt = null;
    expect(cache.find('digest', 1)).toEqual(sessionOf('1', { device: { names: ['phone'] }, at: null }));
  });

  it('keeps equal times of a session once', () => {
    const cache = cacheOf();
    cache.keep('digest', { ...sessionOf('1'), updatedAt: new Date(0) }, cache.reading(0));
    const { createdAt, updatedAt, expiresAt } = cache.find('digest', 1)!;
    expect(updatedAt).toBe(createdAt);
    expect([createdAt, expiresAt]).toEqual([new Date(0), new Date(MINUTE)]);
  });

  it('copies a key that would be the prototype', () => {
    const cache = cacheOf();
    const data = JSON.parse('{"__proto__":{"admin":true}}') as Record<string, unknown>;
    cache.keep('digest', sessionOf('1', data), cache.reading(0));
    const found = cache.find('digest', 1)!;
    expect(JSON.stringify(found.data)).toBe('{"__proto__":{"admin":true}}');
    expect((found.data as { admin?: unknown }).admin).toBeUndefined();
  });

  it('knows nothing of what was not read, and that a token is unknown where that was read', () => {
    const cache = cacheOf();
    expect(cache.find('digest', 0)).toBeUndefined();
    cache.keepRefused('digest', UNKNOWN, cache.reading(0));
    expect(cache.find('digest', 0)).toBeNull();
  });

  it('knows why a token is refused, with a copy of the session for each who is told', () => {
    const cache = cacheOf();
    const refused = { type: 'refused', reason: 'revoked', session: sessionOf('1', { step: 1 }) } as const;
    cache.keepRefused('digest', refused, cache.reading(0));
    for (let i = 0; i < 2; i++) {
      const told = cache.refusalOf('digest') as typeof refused;
      expect(told).toEqual(refused);
      told.session.data!['step'] = 2;
    }
    expect(cache.refusalOf('another')).toBeUndefined();
  });

  it.each([
    ['its time is over', TTL, undefined],
    ['the session has ended (ASVS 7.3.2)', 500, 500],
    ['the clock was put back', -1, undefined],
  ])('forgets what it has where %s', (_, now, end) => {
    for (const session of [sessionOf('1'), ...(end === undefined ? [null] : [])]) {
      const cache = cacheOf();
      keep(cache, session, cache.reading(0), end);
      expect(cache.find('digest', now)).toBeUndefined();
      // Permanently, since the clock may go back.
      expect(cache.find('digest', 1)).toBeUndefined();
    }
  });

  it('has a session until the last moment', () => {
    const cache = cacheOf();
    cache.keep('digest', sessionOf('1'), cache.reading(0), 500);
    expect(cache.find('digest', 499)).toEqual(sessionOf('1'));
  });

  it('counts the time from the beginning of the reading', () => {
    const cache = cacheOf();
    const reading = cache.reading(0);
    cache.keep('digest', sessionOf('1'), reading);
    expect(cache.find('digest', TTL - 1)).toBeDefined();
    expect(cache.find('digest', TTL)).toBeUndefined();
  });

  it('has a session by its newest token only', () => {
    const cache = cacheOf();
    cache.keep('before', sessionOf('1'), cache.reading(0));
    cache.keep('after', sessionOf('1'), cache.reading(0));
    expect(cache.find('before', 1)).toBeUndefined();
    expect(cache.find('after', 1)).toEqual(sessionOf('1'));
  });

  it('takes the newest answer for a token, whether it was known or not', () => {
    const cache = cacheOf();
    cache.keep('digest', sessionOf('1'), cache.reading(0));
    cache.keepRefused('digest', UNKNOWN, cache.reading(0));
    expect(cache.find('digest', 1)).toBeNull();
    cache.keep('digest', sessionOf('1'), cache.reading(0));
    expect(cache.find('digest', 1)).toEqual(sessionOf('1'));
  });

  it('loses no session to any number of unknown tokens', () => {
    const cache = cacheOf(10);
    for (let i = 0; i < 10; i++) cache.keep(`known ${i}`, sessionOf(String(i)), cache.reading(0));
    for (let i = 0; i < 1000; i++) cache.keepRefused(`unknown ${i}`, UNKNOWN, cache.reading(0));
    for (let i = 0; i < 10; i++) expect(cache.find(`known ${i}`, 1)).toBeDefined();
  });

  it('keeps nothing that was being read when it was cleared', () => {
    const cache = cacheOf();
    const reading = cache.reading(0);
    cache.clear();
    for (const session of [sessionOf('1'), null]) {
      keep(cache, session, reading);
      expect(cache.find('digest', 1)).toBeUndefined();
    }
  });

  it('keeps nothing of a reading that has seen more changes than are remembered', () => {
    const cache = cacheOf();
    const reading = cache.reading(0);
    for (let i = 0; i <= 10_000; i++) cache.forget([String(i)]);
    cache.keep('digest', sessionOf('0'), reading);
    expect(cache.find('digest', 1)).toBeUndefined();
    cache.keep('digest', sessionOf('0'), cache.reading(0));
    expect(cache.find('digest', 1)).toBeDefined();
  });

  it('keeps what was being read while up to 5000 others changed, and nothing that was among them', () => {
    const cache = cacheOf();
    cache.forget(Array.from({ length: 4000 }, (_, i) => `earlier ${i}`));
    const reading = cache.reading(0);
    for (let i = 0; i < 5000; i++) cache.forget([String(i)]);
    for (const id of ['0', '999', '1000', '4999']) {
      cache.keep('digest', sessionOf(id), reading);
      expect(cache.find('digest', 1)).toBeUndefined();
    }
    cache.keep('digest', sessionOf('other'), reading);
    expect(cache.find('digest', 1)).toBeDefined();
  });

  /** What may happen, to one of a few sessions or to one of the readings under way. */
  const step = fc.record({
    kind: fc.constantFrom('begin', 'read', 'keep', 'change', 'tell', 'clear', 'wait'),
    which: fc.nat({ max: 2 }),
  });

  it('never gives a session as it was before a change that it was told of, in whatever order rows and news come (ASVS 7.4.1)', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (steps, max) => {
        const cache = cacheOf(max);
        let now = 0;
        const versions = [0, 0, 0];
        const told = [0, 0, 0];
        const readings: { of: number; reading: Reading; version?: number; at: number }[] = [];
        for (const { kind, which } of steps) {
          const reading = readings[which];
          if (kind === 'begin') readings.push({ of: which, reading: cache.reading(now), at: now });
          if (kind === 'read' && reading) reading.version ??= versions[reading.of];
          if (kind === 'keep' && reading?.version !== undefined) {
            const { of, version } = reading;
            cache.keep(`digest ${of}`, sessionOf(String(of), { version, at: reading.at }), reading.reading);
            readings.splice(which, 1);
          }
          if (kind === 'change') versions[which]!++;
          if (kind === 'tell') {
            cache.forget([String(which)]);
            told[which] = versions[which]!;
          }
          if (kind === 'clear') {
            cache.clear();
            told.splice(0, 3, ...versions);
          }
          if (kind === 'wait') now += TTL / 2;
          for (const [i, version] of told.entries()) {
            const { data } = cache.find(`digest ${i}`, now) ?? {};
            if (!data) continue;
            expect(data['version']).toBeGreaterThanOrEqual(version);
            expect(now - (data['at'] as number)).toBeLessThan(TTL);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
