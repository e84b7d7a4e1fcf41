import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batch, type BatchLimits, nextBatchSize } from './batch-size.js';

const LIMITS: BatchLimits = { targetMs: 50, min: 10, max: 1000 };
const full = (size: number, ms: number): Batch => ({ size, rows: size, ms });

describe('the size of the next batch', () => {
  it.each<[string, Batch, number]>([
    ['stays after one that took as long as it should', full(100, 50), 100],
    ['grows as far as the time allows', full(100, 40), 125],
    ['shrinks as far as the time demands', full(100, 80), 62],
    ['grows to twice as much at the most', full(100, 1), 200],
    ['grows to twice as much where no time passed', full(100, 0), 200],
    ['shrinks to half as much at the least', full(100, 10_000), 50],
    ['does not grow above the most', full(800, 1), 1000],
    ['does not shrink below the least', full(12, 10_000), 10],
    ['does not grow after a batch that was not full', { size: 100, rows: 99, ms: 1 }, 100],
    ['shrinks also after a batch that was not full', { size: 100, rows: 1, ms: 100 }, 50],
  ])('%s', (_title, batch, expected) => {
    expect(nextBatchSize(batch, LIMITS)).toBe(expected);
  });

  const limits = fc
    .record({
      targetMs: fc.integer({ min: 1, max: 1000 }),
      min: fc.integer({ min: 1, max: 1000 }),
      room: fc.nat(100_000),
    })
    .map(({ targetMs, min, room }): BatchLimits => ({ targetMs, min, max: min + room }));
  const sizeWithin = ({ min, max }: BatchLimits) => fc.integer({ min, max });

  it('is a whole number within the limits, at most twice and at least half as much, whatever the last one took', () => {
    const any = limits.chain((given) =>
      fc.record({
        limits: fc.constant(given),
        size: sizeWithin(given),
        missing: fc.nat(),
        ms: fc.double({ min: 0, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(any, ({ limits, size, missing, ms }) => {
        const next = nextBatchSize({ size, rows: Math.max(0, size - missing), ms }, limits);
        expect(Number.isInteger(next)).toBe(true);
        expect(next).toBeGreaterThanOrEqual(Math.max(limits.min, Math.floor(size / 2)));
        expect(next).toBeLessThanOrEqual(Math.min(limits.max, size * 2));
      }),
    );
  });

  it('comes to take the time that it should where each row takes about the same time, from wherever it began', () => {
    const any = limits.chain((given) =>
      fc.record({
        limits: fc.constant(given),
        begin: sizeWithin(given),
        rowMs: fc.double({ min: 0.001, max: 10, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(any, ({ limits, begin, rowMs }) => {
        let size = begin;
        for (let batch = 0; batch < 60; batch++) size = nextBatchSize(full(size, size * rowMs), limits);
        const ideal = Math.max(limits.min, Math.min(limits.max, limits.targetMs / rowMs));
        expect(Math.abs(size - ideal)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
