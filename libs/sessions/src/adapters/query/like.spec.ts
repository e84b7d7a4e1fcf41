import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeLike, globPattern, likeParts } from './like.js';

const anyPattern = fc.string({
  unit: fc.constantFrom('%', '_', '\\', 'a', 'é', '😀', '*', '?', '[', ']'),
  maxLength: 12,
});

describe('likeParts', () => {
  it.each([
    ['', []],
    ['a%', [{ text: 'a' }, { any: 'text' }]],
    ['_😀', [{ any: 'character' }, { text: '😀' }]],
    [String.raw`\%\_\\`, [{ text: '%' }, { text: '_' }, { text: '\\' }]],
    [String.raw`\a`, [{ text: 'a' }]],
    ['a\\', [{ text: 'a' }, { text: '\\' }]],
    ['\n', [{ text: '\n' }]],
  ])('%j', (pattern, parts) => {
    expect(likeParts(pattern)).toEqual(parts);
  });

  it('has one part for each character that a backslash does not join to the next', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (pattern) => {
        expect(likeParts(pattern)).toHaveLength([...pattern.replaceAll(/\\[^]/gu, 'x')].length);
      }),
    );
  });
});

describe('escapeLike', () => {
  it('means the same, whatever it was given', () => {
    fc.assert(
      fc.property(anyPattern, (pattern) => {
        expect(likeParts(escapeLike(pattern))).toEqual(likeParts(pattern));
      }),
    );
  });

  it('leaves backslashes only before backslashes and wildcards, about which databases agree', () => {
    fc.assert(
      fc.property(anyPattern, (pattern) => {
        expect(escapeLike(pattern).replaceAll(/\\[\\%_]/g, '')).not.toContain('\\');
      }),
    );
  });
});

describe('globPattern', () => {
  it.each([
    ['a%_', 'a*?'],
    ['*?[]', '[*][?][[]]'],
    [String.raw`\%\_\\`, String.raw`%_` + '\\'],
  ])('%j becomes %j', (pattern, glob) => {
    expect(globPattern(pattern)).toBe(glob);
  });
});
