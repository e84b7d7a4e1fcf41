import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownOptions, nearestOf, problemsOfOptions } from './known-options.js';
import { thereAre } from './messages.js';

const NAMES = ['sessionTtl', 'absoluteTtl', 'tokenPrefix', 'order', 'take', 'skip'];
const KNOWN = Object.fromEntries(NAMES.map((name) => [name, true as const]));

const letter = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz');
const name = fc.array(letter, { minLength: 4, maxLength: 12 }).map((letters) => letters.join(''));
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 10 });

describe('nearestOf', () => {
  it.each([
    ['sessionTTL', 'sessionTtl'],
    ['sesionTtl', 'sessionTtl'],
    ['absolutTtl', 'absoluteTtl'],
    ['prefixToken', undefined],
    ['orderBy', 'order'],
    ['ordre', 'order'],
    ['TAKE', 'take'],
    ['limit', undefined],
    ['', undefined],
  ])('takes %j for a slip of %j', (given, meant) => {
    expect(nearestOf(given, NAMES)).toBe(meant);
  });

  it('is the name itself, in any letter case', () => {
    fc.assert(
      fc.property(names, fc.nat(), (all, index) => {
        const meant = all[index % all.length]!;
        expect(nearestOf(meant.toUpperCase(), all)).toBe(meant);
      }),
    );
  });

  it('is found where one letter is missing, one too many, another one, or two are exchanged', () => {
    const slip = fc.tuple(fc.constantFrom('missing', 'more', 'other', 'exchanged'), fc.nat(), letter);
    fc.assert(
      fc.property(name, slip, (meant, [kind, nat, other]) => {
        const at = nat % (meant.length - 1);
        const [before, after] = [meant.slice(0, at), meant.slice(at + 1)];
        const given = {
          missing: before + after,
          more: before + other + meant.slice(at),
          other: before + other + after,
          exchanged: before + after[0]! + meant[at]! + after.slice(1),
        }[kind];
        expect(nearestOf(given, [meant])).toBe(meant);
      }),
    );
  });

  it('is none where no letter is the same', () => {
    fc.assert(
      fc.property(name, names, (given, all) => {
        const others = all.map((other) => '0'.repeat(other.length));
        expect(nearestOf(given, others)).toBeUndefined();
      }),
    );
  });

  it('looks at no name that is far too long, so that a client can make nobody wait', () => {
    const before = performance.now();
    expect(nearestOf('x'.repeat(10_000_000), NAMES)).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(1000);
  });
});

describe('thereAre', () => {
  it('names all that there are', () => {
    expect(thereAre(['take', 'skip'])).toBe('(there are: take, skip)');
    expect(thereAre([])).toBe('(there are none)');
  });
});

describe('options', () => {
  const problems = (options: unknown): readonly string[] => problemsOfOptions('cookie', options, KNOWN);
  const taking = (options: object): (() => unknown) => {
    return () => knownOptions('sessions', options as { take?: number }, { take: true });
  };

  it('that nobody knows are named, each with its place', () => {
    expect(problems({ take: 1, takes: 2, limit: 3 })).toEqual([
      'cookie.takes is no option (did you mean take?)',
      `cookie.limit is no option (there are: ${NAMES.join(', ')})`,
    ]);
    expect(taking({ takes: 2, limit: 3 })).toThrow(
      'Table "sessions": takes is no option (did you mean take?); limit is no option (there are: take).',
    );
  });

  it('that are not given may be left out, or undefined', () => {
    expect(problems(undefined)).toEqual([]);
    expect(problems({ nothing: undefined })).toEqual([]);
    expect(taking({ nothing: undefined })).not.toThrow();
  });

  it.each([null, false, 5, 'take', ['take'], () => undefined])('that are no object are refused: %o', (options) => {
    expect(problems(options)).toEqual(['cookie must be an object of options']);
    expect(taking(options as never)).toThrow('Table "sessions": options must be an object of options.');
  });

  it('of a class, or of another prototype, have what that has', () => {
    class Page {
      readonly take = 1;
      readonly total = 5;
    }
    expect(problems(new Page())).toEqual([]);
    expect(taking(new Page())).not.toThrow();
  });

  it.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    '%s is none, though every object has it',
    (own) => {
      const given = JSON.parse(`{ "${own}": 1 }`) as object;
      expect(problems(given)).toEqual([expect.stringContaining(`cookie.${own} is no option`)]);
      expect(taking(given)).toThrow(`${own} is no option`);
      expect(problems(Object.assign(Object.create(null), { [`${own}s`]: 1 }))).toHaveLength(1);
    },
  );
});
