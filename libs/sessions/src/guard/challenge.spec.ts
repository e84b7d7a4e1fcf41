import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { challenge, isRealm } from './challenge.js';

/** A challenge as RFC 9110, 11.6.1 and 5.6.4 have it: a scheme, then parameters that are quoted strings. */
const PARAMETER = String.raw`[a-z_]+="(?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*"`;
const CHALLENGE = new RegExp(`^Bearer ${PARAMETER}(?:, ${PARAMETER})*$`);

const printable = fc.string({ unit: 'grapheme-ascii' });

describe('challenge', () => {
  it('names the realm and no error where there were no credentials (RFC 6750, 3.1)', () => {
    expect(challenge('api')).toBe('Bearer realm="api"');
  });

  it('names the error after the realm', () => {
    expect(challenge('api', 'invalid_token')).toBe('Bearer realm="api", error="invalid_token"');
    expect(challenge('api', 'invalid_request')).toBe('Bearer realm="api", error="invalid_request"');
  });

  it('escapes what would end a quoted string', () => {
    expect(challenge(String.raw`a "b" \c`)).toBe(String.raw`Bearer realm="a \"b\" \\c"`);
  });

  it('is quoted strings separated by commas, each parameter once, for every realm (RFC 6750, 3)', () => {
    fc.assert(
      fc.property(printable, fc.constantFrom(undefined, 'invalid_token' as const), (realm, error) => {
        const value = challenge(realm, error);
        expect(value).toMatch(CHALLENGE);
        expect(quotedStrings(value)).toEqual(error === undefined ? [realm] : [realm, error]);
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

function quotedStrings(value: string): string[] {
  return [...value.matchAll(/="((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]!.replace(/\\(.)/g, '$1'));
}
