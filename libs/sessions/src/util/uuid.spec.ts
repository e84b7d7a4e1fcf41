import * as fc from 'fast-check';
import { version } from 'uuid';
import { describe, expect, it } from 'vitest';
import { newId } from './uuid.js';

const timeOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

describe('an id', () => {
  it('has the time that it is given, also one before the last', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2 ** 41)), (times) => {
        const ids = times.map(newId);
        expect(ids.map(timeOf)).toEqual(times);
        expect(new Set([7, ...ids.map(version)])).toEqual(new Set([7]));
      }),
    );
  });

  it('comes after the others of its time', () => {
    const ids = Array.from({ length: 1000 }, () => newId(1_767_225_600_123));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(1000);
  });
});
