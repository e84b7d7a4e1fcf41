import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, oldest } from './session-limits.js';

const NOW = new Date('2026-01-01T00:00:00.000Z');

const after = (ms: number): Date => new Date(NOW.getTime() + ms);
const session = (id: string, createdAt: number, lastUsedAt: number | null = null): Candidate => ({
  id,
  createdAt: after(createdAt),
  lastUsedAt: lastUsedAt === null ? null : after(lastUsedAt),
});

/** Sessions of which many begin, or are used, at the same time. */
const sessions = fc.uniqueArray(
  fc
    .tuple(fc.uuid({ version: 7 }), fc.nat(10), fc.option(fc.nat(10)))
    .map(([id, createdAt, idle]) => session(id, createdAt, idle === null ? null : createdAt + idle)),
  { selector: ({ id }) => id, maxLength: 20 },
);
const counts = fc.integer({ min: -5, max: 25 });

/** The time by which a session is chosen. */
const timeOf = ({ createdAt, lastUsedAt }: Candidate, byUse: boolean): number =>
  (byUse ? (lastUsedAt ?? createdAt) : createdAt).getTime();

describe('oldest', () => {
  it('goes by the beginning', () => {
    const three = [session('a', 3, 3), session('b', 1, 9), session('c', 2)];
    expect(oldest(three, 2, false)).toEqual(['b', 'c']);
  });

  it('goes by the last use where it is told to, and by the beginning of what was never used', () => {
    const three = [session('a', 1, 5), session('b', 2, 3), session('c', 4)];
    expect(oldest(three, 3, true)).toEqual(['b', 'c', 'a']);
  });

  it('goes by the beginning where the table keeps no use', () => {
    const two = [
      { id: 'a', createdAt: after(2) },
      { id: 'b', createdAt: after(1) },
    ];
    expect(oldest(two, 1, true)).toEqual(['b']);
  });

  it('takes a use at the beginning of time for one', () => {
    const epoch = { id: 'a', createdAt: after(2), lastUsedAt: new Date(0) };
    expect(oldest([session('b', 1), epoch], 1, true)).toEqual(['a']);
  });

  it('tells those of the same time apart by their ids', () => {
    expect(oldest([session('c', 1), session('a', 1), session('b', 1)], 2, false)).toEqual(['a', 'b']);
  });

  it('takes as many as it is told to, as far as there are so many, and none for less than one', () => {
    fc.assert(
      fc.property(sessions, counts, fc.boolean(), (all, count, byUse) => {
        const ids = oldest(all, count, byUse);
        expect(new Set(ids).size).toBe(Math.min(Math.max(0, count), all.length));
        expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
      }),
    );
  });

  it('leaves none that is older than one that it takes', () => {
    fc.assert(
      fc.property(sessions, counts, fc.boolean(), (all, count, byUse) => {
        const ids = oldest(all, count, byUse);
        const times = (taken: boolean): number[] =>
          all.filter(({ id }) => ids.includes(id) === taken).map((one) => timeOf(one, byUse));
        expect(Math.max(-Infinity, ...times(true))).toBeLessThanOrEqual(Math.min(Infinity, ...times(false)));
      }),
    );
  });

  it('takes the same in whatever order the sessions come, and leaves their list as it is', () => {
    const shuffled = sessions.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, counts, fc.boolean(), ([all, others], count, byUse) => {
        const before = [...others];
        expect(oldest(others, count, byUse)).toEqual(oldest(all, count, byUse));
        expect(others).toEqual(before);
      }),
    );
  });

  it('takes more by adding to what it takes of fewer', () => {
    fc.assert(
      fc.property(sessions, fc.nat(20), fc.boolean(), (all, count, byUse) => {
        expect(oldest(all, count + 1, byUse).slice(0, count)).toEqual(oldest(all, count, byUse));
      }),
    );
  });
});
