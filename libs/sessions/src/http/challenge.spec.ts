import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isScope } from '../session/scopes.js';
import { challenge, type ChallengeError, type ChallengeParameters, isRealm } from './challenge.js';

const printable = fc.string({ unit: 'grapheme-ascii' });
const error = fc.constantFrom<(ChallengeError | undefined)[]>(
  undefined,
  'invalid_request',
  'invalid_token',
  'insufficient_scope',
  'insufficient_user_authentication',
);
const scope = fc
  .array(fc.string({ unit: 'grapheme-ascii', minLength: 1 }).filter(isScope), { minLength: 1 })
  .map((scopes) => scopes.join(' '));
const parameters: fc.Arbitrary<ChallengeParameters> = fc.record(
  { scope, max_age: fc.nat().map(String) },
  { requiredKeys: [] },
);

describe('challenge', () => {
  it('names the realm and no error where there were no credentials (RFC 6750, 3.1)', () => {
    expect(challenge('api')).toBe('Bearer realm="api"');
  });

  it('names the error after the realm', () => {
    expect(challenge('api', 'invalid_token')).toBe('Bearer realm="api", error="invalid_token"');
    expect(challenge('api', 'invalid_request')).toBe('Bearer realm="api", error="invalid_request"');
  });

  it('names the scopes that are needed (RFC 6750 §3.1)', () => {
    expect(challenge('api', 'insufficient_scope', { scope: 'posts:write posts:read' })).toBe(
      'Bearer realm="api", error="insufficient_scope", scope="posts:write posts:read"',
    );
  });

  it('names the age that a sign-in may have (RFC 9470)', () => {
    expect(challenge('api', 'insufficient_user_authentication', { max_age: '600' })).toBe(
      'Bearer realm="api", error="insufficient_user_authentication", max_age="600"',
    );
  });

  it('escapes what would end a quoted string', () => {
    expect(challenge(String.raw`a "b" \c`)).toBe(String.raw`Bearer realm="a \"b\" \\c"`);
  });

  it('parses back to what it was made of, whatever that is (RFC 9110 §11.6.1)', () => {
    fc.assert(
      fc.property(printable, error, parameters, (realm, error, parameters) => {
        expect(parse(challenge(realm, error, parameters))).toEqual({
          scheme: 'Bearer',
          parameters: { realm, ...(error !== undefined && { error }), ...parameters },
        });
      }),
    );
  });

  it('has no characters beside those of an error and of scopes, and escapes none of them (RFC 6750 §3)', () => {
    fc.assert(
      fc.property(error, parameters, (error, parameters) => {
        expect(challenge('api', error, parameters)).toMatch(
          /^Bearer realm="api"(?:, [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]+")*$/,
        );
      }),
    );
  });
});

describe('isRealm', () => {
  it('takes every text of printable ASCII', () => {
    fc.assert(
      fc.property(printable, (realm) => {
        expect(isRealm(realm)).toBe(true);
      }),
    );
  });

  it.each(['a\r\nSet-Cookie: b=c', 'a\0', 'café', '\ud800', 'a\u007f'])(
    'refuses %j, which no header can hold',
    (realm) => {
      expect(isRealm(realm)).toBe(false);
    },
  );
});

const TOKEN = String.raw`[!#$%&'*+.^_\x60|~0-9A-Za-z-]+`;
const QUOTED = String.raw`"((?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*)"`;

/** A challenge by the grammar of RFC 9110, 11.6.1 and 5.6.1 to 5.6.4, with parameters that are quoted strings. */
function parse(value: string): { scheme: string; parameters: Record<string, string> } {
  const scheme = new RegExp(`^(${TOKEN}) +`).exec(value);
  if (!scheme) throw new Error(`There is no scheme in ${value}`);
  const parameter = new RegExp(`(${TOKEN})[\t ]*=[\t ]*${QUOTED}(?:[\t ]*,[\t ]*(?=.)|$)`, 'y');
  const parameters: Record<string, string> = {};
  parameter.lastIndex = scheme[0].length;
  while (parameter.lastIndex < value.length) {
    const { lastIndex } = parameter;
    const found = parameter.exec(value);
    if (!found) throw new Error(`There is no parameter at ${lastIndex} of ${value}`);
    const name = found[1]!.toLowerCase();
    if (name in parameters) throw new Error(`There are two of ${name} in ${value}`);
    parameters[name] = found[2]!.replace(/\\(.)/g, '$1');
  }
  return { scheme: scheme[1]!, parameters };
}
