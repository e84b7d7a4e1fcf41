import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasScopes, isGrant, isScope } from './scopes.js';

/** Few and short, so that they often begin alike. */
const segment = fc.stringMatching(/^[a-c]{1,2}$/);
const scope = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join(':'));
const wildcard = fc.oneof(
  fc.constant('*'),
  scope.map((head) => `${head}:*`),
);
const grant = fc.oneof(scope, wildcard);
const grants = fc.array(grant, { maxLength: 4 });
const scopes = fc.array(scope, { maxLength: 4 });

describe('hasScopes', () => {
  it.each([
    ['posts:write', 'posts:write'],
    ['posts:*', 'posts:write'],
    ['posts:*', 'posts:comments:write'],
    ['posts:comments:*', 'posts:comments:write'],
    ['*', 'posts:write'],
    ['*', 'posts'],
  ])('says yes where %j was granted and %j is needed', (granted, needed) => {
    expect(hasScopes([granted], needed)).toBe(true);
  });

  it.each([
    ['posts:*', 'posts'],
    ['posts:*', 'postsx:write'],
    ['posts:*', 'x:posts:write'],
    ['posts:comments:*', 'posts:write'],
    ['posts', 'posts:write'],
    ['posts:write', 'posts'],
    ['posts:write', 'posts:writes'],
    ['posts:write', 'Posts:Write'],
    ['posts*', 'posts:write'],
    ['*:write', 'posts:write'],
    ['**', 'posts:write'],
    ['', 'posts:write'],
  ])('says no where %j was granted and %j is needed (ASVS 8.2.1)', (granted, needed) => {
    expect(hasScopes([granted], needed)).toBe(false);
  });

  it('needs all of the scopes', () => {
    expect(hasScopes(['posts:read', 'posts:write'], 'posts:read', 'posts:write')).toBe(true);
    expect(hasScopes(['posts:read'], 'posts:read', 'posts:write')).toBe(false);
  });

  it('takes nothing granted for nothing', () => {
    expect(hasScopes([])).toBe(true);
    expect(hasScopes([], 'posts:read')).toBe(false);
  });

  it('never takes a grant for a scope that does not begin with all of its segments', () => {
    fc.assert(
      fc.property(grant, scope, (granted, needed) => {
        const [wanted, given] = [needed.split(':'), granted.split(':')];
        const head = given.at(-1) === '*' ? given.slice(0, -1) : undefined;
        const covered = head
          ? wanted.length > head.length && head.every((text, i) => text === wanted[i])
          : granted === needed;
        expect(hasScopes([granted], needed)).toBe(covered);
      }),
      { numRuns: 2000 },
    );
  });

  it('never loses by another grant, nor gains by another need', () => {
    fc.assert(
      fc.property(grants, grants, scopes, scopes, (granted, more, needed, others) => {
        const enough = hasScopes(granted, ...needed);
        expect(enough && !hasScopes([...more, ...granted], ...needed)).toBe(false);
        expect(!enough && hasScopes(granted, ...others, ...needed)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('never loses by a shorter wildcard', () => {
    fc.assert(
      fc.property(scope, scope, scope, (head, tail, needed) => {
        const covered = hasScopes([`${head}:${tail}:*`], needed);
        expect(covered && !hasScopes([`${head}:*`], needed)).toBe(false);
        expect(hasScopes([`${head}:*`], `${head}:${tail}`)).toBe(true);
      }),
    );
  });
});

describe('isGrant', () => {
  const TABLE = ['posts:write', 'posts:comments:write', 'users'];

  it.each([...TABLE, '*', 'posts:*', 'posts:comments:*'])('takes %j', (text) => {
    expect(isGrant(text, TABLE)).toBe(true);
  });

  it.each(['posts', 'posts:read', 'post:*', 'users:*', 'posts:write:*', 'posts:*:write', 'posts*', ':*', '', '**'])(
    'refuses %j, which covers no scope of the table',
    (text) => {
      expect(isGrant(text, TABLE)).toBe(false);
    },
  );

  it('takes a wildcard exactly where it covers a scope of the table', () => {
    fc.assert(
      fc.property(scopes, grant, (declared, text) => {
        const covers = declared.some((needed) => hasScopes([text], needed));
        expect(isGrant(text, declared)).toBe(text === '*' || covers);
      }),
      { numRuns: 1000 },
    );
  });

  it('takes nothing but text', () => {
    const other = fc.anything().filter((value) => typeof value !== 'string');
    fc.assert(
      fc.property(other, (value) => {
        expect(isGrant(value, TABLE)).toBe(false);
      }),
    );
  });
});

describe('isScope', () => {
  it('takes every character of a scope but the asterisk (RFC 6750 §3)', () => {
    for (let code = 0; code < 0x180; code++) {
      const character = String.fromCodePoint(code);
      const allowed = code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e);
      expect([character, isScope(`a${character}`)]).toEqual([character, allowed && character !== '*']);
    }
  });

  it('refuses empty text', () => {
    expect(isScope('')).toBe(false);
  });
});
