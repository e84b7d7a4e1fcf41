import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { earlier, lifetimeLimits } from './lifetime.js';
import { isExpired, isValid, wasEnded } from './validity.js';

const DAY = 86_400_000;
const NOW = new Date('2026-01-01T00:00:00.000Z');

const after = (ms: number): Date => new Date(NOW.getTime() + ms);
const times = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -500 * DAY, max: 500 * DAY })).map(after);
const sessions = fc.record({
  createdAt: times,
  authenticatedAt: fc.option(times),
  expiresAt: fc.option(times),
  absoluteExpiresAt: fc.option(times),
});
const lifetimes = fc.record({
  ttlMs: fc.constant(null),
  staleMs: fc.constant(null),
  absoluteMs: fc.option(fc.integer({ min: 1, max: 400 * DAY })),
});

describe('isExpired', () => {
  it('holds from the very moment of the end on (PARITY 1.3)', () => {
    expect([after(1), after(0), after(-1)].map((end) => isExpired(end, NOW))).toEqual([false, true, true]);
  });

  it('never holds without an end (PARITY 1.9: the seed calls such a session expired)', () => {
    expect(isExpired(null, NOW)).toBe(false);
  });
});

describe('isValid', () => {
  it('holds until the end, or the one that no extension moves, or a revocation', () => {
    fc.assert(
      fc.property(sessions, lifetimes, (session, lifetime) => {
        const { absoluteEnd } = lifetimeLimits(session, lifetime);
        const ends = [session.expiresAt, absoluteEnd, earlier(session.expiresAt, absoluteEnd), NOW];
        for (const now of ends.flatMap((end) => (end ? [end, new Date(end.getTime() - 1)] : []))) {
          const over = isExpired(session.expiresAt, now) || isExpired(absoluteEnd, now);
          expect(isValid(session, lifetime, now.getTime())).toBe(!over);
          expect(isValid({ ...session, revokedAt: NOW }, lifetime, now.getTime())).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('wasEnded', () => {
  it('holds where the end is no later than the last change, which no lifetime leaves behind', () => {
    const ends = [after(1), after(0), after(-1), null];
    expect(ends.map((expiresAt) => wasEnded({ expiresAt, updatedAt: NOW }))).toEqual([false, true, true, false]);
  });
});
