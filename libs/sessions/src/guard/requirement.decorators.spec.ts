import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs } from '../util/duration.js';
import { isScope } from '../session/scopes.js';
import { Authoritative, RequireFresh, RequireScopes } from './requirement.decorators.js';
import { requirementsOf } from './requirements.js';

const NONE = { scopes: [], maxAgeMs: Infinity, authoritative: false };

/** The decorator as called from JavaScript, without type checks. */
const requireScopes = RequireScopes as (...scopes: readonly string[]) => ClassDecorator;

describe('RequireScopes', () => {
  it.each(['', 'a b', 'posts:*', '*', 'a"b', String.raw`a\b`, 'é', 'a\n'])(
    'refuses %j when it is applied (RFC 6750 §3)',
    (scope) => {
      expect(() => requireScopes('posts:read', scope)).toThrow(TypeError);
      expect(() => requireScopes('posts:read', scope)).toThrow(JSON.stringify(scope));
    },
  );

  it('takes a text exactly where it can be a scope', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(isApplied(text)).toBe(isScope(text));
      }),
    );
  });

  it('refuses to require none', () => {
    expect(() => requireScopes()).toThrow(TypeError);
  });
});

describe('RequireFresh', () => {
  it.each(['', '10', 'soon', '10y', '-5m', NaN, Infinity, -1, 0, 0.5, '0m', '0.5s'])(
    'refuses %j when it is applied',
    (maxAge) => {
      expect(() => RequireFresh(maxAge as never)).toThrow(TypeError);
    },
  );

  it.each([1, 600, '1s', '10m', '1.5h', '7d'] as const)('takes %j', (maxAge) => {
    class Controller {}
    RequireFresh(maxAge)(Controller);
    expect(requirementsOf(Controller)).toEqual({ ...NONE, maxAgeMs: durationMs(maxAge), authoritative: true });
  });
});

describe('requirements', () => {
  it('are none where nothing was said', () => {
    expect(requirementsOf(class {}, () => undefined)).toEqual(NONE);
  });

  it('add up, in the order in which they stand in the code, each scope once', () => {
    @RequireScopes('a', 'b')
    @RequireFresh('1h')
    @RequireScopes('c', 'a')
    class Controller {
      @RequireFresh('2h')
      @RequireScopes('d', 'b')
      route(): void {}
    }
    const route = Object.getOwnPropertyDescriptor(Controller.prototype, 'route')!.value as object;
    expect(requirementsOf(Controller, route)).toMatchObject({ scopes: ['a', 'b', 'c', 'd'], maxAgeMs: 3_600_000 });
    expect(requirementsOf(route)).toMatchObject({ scopes: ['d', 'b'], maxAgeMs: 7_200_000 });
  });

  it('of a class hold for its subclasses, and theirs not for it', () => {
    @RequireScopes('a')
    class Parent {}
    @RequireScopes('b')
    @RequireFresh('1h')
    class Child extends Parent {}
    expect(requirementsOf(class extends Parent {})).toMatchObject({ scopes: ['a'] });
    expect(requirementsOf(Child)).toMatchObject({ scopes: ['b', 'a'], maxAgeMs: 3_600_000 });
    expect(requirementsOf(Parent)).toEqual({ ...NONE, scopes: ['a'] });
  });

  it('are that the database is asked, where the controller or the handler says so', () => {
    @Authoritative()
    class Asking {}
    class Other {}
    expect(requirementsOf(Asking, Other)).toEqual({ ...NONE, authoritative: true });
    expect(requirementsOf(Other, Asking)).toEqual({ ...NONE, authoritative: true });
    expect(requirementsOf(Other, Other)).toEqual(NONE);
  });
});

function isApplied(scope: string): boolean {
  try {
    requireScopes(scope);
    return true;
  } catch {
    return false;
  }
}
