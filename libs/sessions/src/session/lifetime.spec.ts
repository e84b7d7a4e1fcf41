import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addTtl,
  earlier,
  extensionAt,
  isDue,
  type Lifetime,
  type Limits,
  lifetimeLimits,
  limitStart,
  nextEnd,
} from './lifetime.js';
import { ALL_TIMES } from '../util/times.js';
import { isExpired } from './validity.js';

const DAY = 86_400_000;
const NOW = new Date('2026-01-01T00:00:00.000Z');
const WEEK_STALE_DAY: Limits = { ttlMs: 7 * DAY, staleMs: DAY, absoluteEnd: null };

const after = (ms: number): Date => new Date(NOW.getTime() + ms);
const due = (expiresAt: Date | null, { ttlMs, staleMs, absoluteEnd }: Limits = WEEK_STALE_DAY): boolean =>
  isDue(
    { createdAt: NOW, expiresAt, absoluteExpiresAt: absoluteEnd },
    { ttlMs, staleMs, absoluteMs: null },
    NOW.getTime(),
  );

const times = fc.integer({ min: -500 * DAY, max: 500 * DAY }).map(after);
const lengths = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 400 * DAY }));
/** Sessions and lifetimes of all kinds, with limits near to each other and far away. */
const sessions = fc.record({
  createdAt: times,
  authenticatedAt: fc.option(times),
  expiresAt: fc.option(fc.oneof(fc.integer({ min: -5, max: 5 }).map(after), times)),
  absoluteExpiresAt: fc.option(times),
  idleTtl: fc.option(fc.integer({ min: 1, max: 400 * DAY }).map((ms) => Math.ceil(ms / 1000))),
});
const lifetimes = fc.record<Lifetime>({
  ttlMs: fc.option(lengths),
  // The default is a part of the lifetime.
  staleMs: fc.option(
    fc.oneof(
      fc.nat(400 * DAY),
      lengths.map((ms) => ms / 10),
    ),
  ),
  absoluteMs: fc.option(lengths),
  // What columns of whole seconds hold, and of 32 bits.
  ends: fc.constantFrom(
    ALL_TIMES,
    { ...ALL_TIMES, stepMs: 1000 },
    { ...ALL_TIMES, lastMs: after(100 * DAY).getTime() },
  ),
});

describe('addTtl', () => {
  it('is the lifetime later, and none without a lifetime', () => {
    expect(addTtl(NOW, 1)).toEqual(after(1));
    expect(addTtl(NOW, null)).toBeNull();
  });
});

describe('limitStart', () => {
  it('is the last proof of who the owner is, and the creation where there is none', () => {
    expect(limitStart({ createdAt: NOW, authenticatedAt: after(1) })).toEqual(after(1));
    expect(limitStart({ createdAt: NOW, authenticatedAt: null })).toEqual(NOW);
    expect(limitStart({ createdAt: NOW })).toEqual(NOW);
  });
});

describe('extensionAt', () => {
  it('offers now + ttl for whatever ends more than the stale time before that (PARITY 1.4)', () => {
    expect(extensionAt(NOW, WEEK_STALE_DAY)).toEqual({ expiresAt: after(7 * DAY), ifBefore: after(6 * DAY) });
  });

  it('offers none where sessions never end, or are never extended', () => {
    expect(extensionAt(NOW, { ttlMs: null, staleMs: 0, absoluteEnd: after(DAY) })).toBeUndefined();
    expect(extensionAt(NOW, { ttlMs: null, staleMs: 0, absoluteEnd: null })).toBeUndefined();
    expect(extensionAt(NOW, { ttlMs: DAY, staleMs: null, absoluteEnd: null })).toBeUndefined();
  });
});

describe('an absolute limit', () => {
  const limits: Limits = { ttlMs: 7 * DAY, staleMs: DAY, absoluteEnd: after(7 * DAY - 1) };

  it('is never passed by an extension (ASVS 7.3.2)', () => {
    expect(nextEnd(NOW, limits)).toEqual(after(7 * DAY - 1));
    expect(extensionAt(NOW, limits)?.expiresAt).toEqual(after(7 * DAY - 1));
  });

  it('is worth an extension that gains less than the stale time, once', () => {
    expect(due(after(7 * DAY - 2), limits)).toBe(true);
    expect(due(after(7 * DAY - 1), limits)).toBe(false);
  });

  it('is the earlier of two ends, where none is no end', () => {
    expect([earlier(NOW, after(1)), earlier(after(1), NOW), earlier(null, NOW), earlier(NOW, null)]).toEqual([
      NOW,
      NOW,
      NOW,
      NOW,
    ]);
    expect(earlier(null, null)).toBeNull();
  });

  it('is the table’s from the creation on, unless the session has its own', () => {
    const lifetime = { ttlMs: 7 * DAY, staleMs: DAY, absoluteMs: 30 * DAY };
    expect(lifetimeLimits({ createdAt: NOW }, lifetime)).toEqual({
      ttlMs: 7 * DAY,
      staleMs: DAY,
      absoluteEnd: after(30 * DAY),
    });
    const none = { createdAt: NOW, absoluteExpiresAt: null, idleTtl: null };
    expect(lifetimeLimits(none, lifetime).absoluteEnd).toEqual(after(30 * DAY));
    expect(lifetimeLimits(none, { ...lifetime, absoluteMs: null }).absoluteEnd).toBeNull();
    const own = { createdAt: NOW, absoluteExpiresAt: after(DAY), idleTtl: 3600 };
    expect(lifetimeLimits(own, lifetime)).toEqual({ ttlMs: DAY / 24, staleMs: DAY / 48, absoluteEnd: after(DAY) });
    expect(lifetimeLimits({ ...own, idleTtl: null }, lifetime).ttlMs).toBe(7 * DAY);
    expect(lifetimeLimits(own, { ...lifetime, staleMs: null }).staleMs).toBeNull();
  });

  it('runs from the last proof of who the owner is, and the session’s own to the end that it has', () => {
    const lifetime = { ttlMs: 7 * DAY, staleMs: DAY, absoluteMs: 30 * DAY };
    const renewed = { createdAt: NOW, authenticatedAt: after(10 * DAY) };
    expect(lifetimeLimits(renewed, lifetime).absoluteEnd).toEqual(after(40 * DAY));
    expect(lifetimeLimits({ ...renewed, authenticatedAt: null }, lifetime).absoluteEnd).toEqual(after(30 * DAY));
    expect(lifetimeLimits({ ...renewed, absoluteExpiresAt: after(DAY) }, lifetime).absoluteEnd).toEqual(after(DAY));
    expect(lifetimeLimits(renewed, { ...lifetime, absoluteMs: null }).absoluteEnd).toBeNull();
  });

  it('is as far from its beginning as the table says, whenever that was', () => {
    const times = fc.integer({ min: -1000 * DAY, max: 1000 * DAY }).map(after);
    fc.assert(
      fc.property(times, fc.option(times), fc.nat(400 * DAY), (createdAt, authenticatedAt, absoluteMs) => {
        const { absoluteEnd } = lifetimeLimits(
          { createdAt, authenticatedAt },
          { ttlMs: DAY, staleMs: null, absoluteMs },
        );
        expect(absoluteEnd!.getTime() - (authenticatedAt ?? createdAt).getTime()).toBe(absoluteMs);
      }),
    );
  });
});

describe('the next end', () => {
  it('is one that the table can hold, and no later than it would be otherwise', () => {
    fc.assert(
      fc.property(sessions, lifetimes, (session, lifetime) => {
        const { ends, ...others } = lifetime;
        const exact = nextEnd(NOW, lifetimeLimits(session, others));
        const latest = exact && Math.min(exact.getTime(), ends!.lastMs);
        const stored = latest === null ? null : new Date(Math.floor(latest / ends!.stepMs) * ends!.stepMs);
        expect(nextEnd(NOW, lifetimeLimits(session, lifetime))).toEqual(stored);
      }),
    );
  });
});

describe('isDue', () => {
  it('needs a gain of more than the stale time, by the millisecond (PARITY 1.4)', () => {
    expect([after(6 * DAY - 1), after(6 * DAY), after(6 * DAY + 1)].map((end) => due(end))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('is so at every read with a stale time of 0, but not when nothing is gained', () => {
    const lifetime = { ttlMs: DAY, staleMs: 0, absoluteEnd: null };
    expect([after(DAY - 1), after(DAY)].map((end) => due(end, lifetime))).toEqual([true, false]);
  });

  it('is never so for a session that has ended, or has no end (PARITY 1.9)', () => {
    expect([after(0), after(-1), null].map((end) => due(end))).toEqual([false, false, false]);
  });

  it('only ever lengthens, by more than the stale time, and never revives', () => {
    fc.assert(
      fc.property(sessions, lifetimes, ({ createdAt, expiresAt }, { ttlMs, staleMs }) => {
        const lifetime: Lifetime = { ttlMs, staleMs, absoluteMs: null };
        if (!isDue({ createdAt, expiresAt }, lifetime, NOW.getTime())) return;
        expect(isExpired(expiresAt, NOW)).toBe(false);
        expect(NOW.getTime() + ttlMs! - expiresAt!.getTime()).toBeGreaterThan(staleMs!);
      }),
      { numRuns: 1000 },
    );
  });

  it('is so for a valid session whose end is before the one that the extension says, by the millisecond', () => {
    fc.assert(
      fc.property(sessions, lifetimes, fc.integer({ min: -2, max: 2 }), (session, lifetime, off) => {
        const extension = extensionAt(NOW, lifetimeLimits(session, lifetime));
        for (const expiresAt of [session.expiresAt, extension && new Date(extension.ifBefore.getTime() + off)]) {
          if (expiresAt === undefined) continue;
          const valid = expiresAt !== null && !isExpired(expiresAt, NOW);
          const offered = extension !== undefined && valid && expiresAt.getTime() < extension.ifBefore.getTime();
          expect(isDue({ ...session, expiresAt }, lifetime, NOW.getTime())).toBe(offered);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
