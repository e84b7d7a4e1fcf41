import { describe, expect, it } from 'vitest';
import { read } from '../docs/documents.js';
import { GUARANTEES } from './guarantees.js';
import { BREAKS } from './breaks.js';
import { PROOFS } from './proofs.js';

describe('the proofs of SECURITY.md', () => {
  it.each(GUARANTEES)('break "$text", where a test that it cites has to fail', ({ text, tests }) => {
    const own = PROOFS.filter(({ guarantee }) => text.startsWith(guarantee));
    expect(own).not.toEqual([]);
    for (const { test } of own) expect(tests).toContain(test);
  });

  it.each(Object.entries(BREAKS))('need %s', (_, broken) => {
    expect(PROOFS.some(({ breaks }) => breaks === broken)).toBe(true);
  });

  it.each(PROOFS)('change one place of the library: $guarantee', ({ guarantee, breaks: { file, from, to } }) => {
    expect(GUARANTEES.filter(({ text }) => text.startsWith(guarantee))).toHaveLength(1);
    expect(read(file).split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
  });
});
