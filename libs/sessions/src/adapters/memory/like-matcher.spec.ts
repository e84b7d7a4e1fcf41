import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { likeParts } from '../query/like.js';
import { likeMatcher } from './like-matcher.js';

const CHARACTERS = ['a', 'b', 'é', '😀'];

/** The definition itself: try everything. */
function matches(pattern: readonly ReturnType<typeof likeParts>[number][], text: readonly string[]): boolean {
  const [part, ...parts] = pattern;
  if (!part) return text.length === 0;
  if ('any' in part && part.any === 'text')
    return matches(parts, text) || (text.length > 0 && matches(pattern, text.slice(1)));
  const [first, ...others] = text;
  return first !== undefined && ('any' in part || part.text === first) && matches(parts, others);
}

describe('likeMatcher', () => {
  it('matches what a search of all ways finds', () => {
    const text = fc.array(fc.constantFrom(...CHARACTERS), { maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom(...CHARACTERS, '%', '_', '\\'), maxLength: 7 });
    fc.assert(
      fc.property(text, pattern, (characters, like) => {
        expect(likeMatcher(like)(characters.join(''))).toBe(matches(likeParts(like), characters));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['', '', true],
    ['', 'a', false],
    ['%', '', true],
    ['%%', 'a\nb', true],
    ['_', '', false],
    ['_', '😀', true],
    ['%_', '😀', true],
    ['a%b', 'ab', true],
    ['a%b', 'abc', false],
    ['%ab', 'aab', true],
    ['%a_b%', 'aaxab', false],
  ])('%j and %j: %j', (pattern, text, matched) => {
    expect(likeMatcher(pattern)(text)).toBe(matched);
  });

  it('has an answer for a pattern with as many wildcards as it holds', () => {
    const text = 'a'.repeat(100_000);
    expect(likeMatcher('%a'.repeat(127) + 'b')(text)).toBe(false);
    expect(likeMatcher('%a_'.repeat(80) + 'b')(text)).toBe(false);
    expect(likeMatcher('%a'.repeat(127))(text)).toBe(true);
  });
});
