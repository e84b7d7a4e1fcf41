import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Credentials, credentialsOf, type CredentialSource, type HttpRequest } from './credentials.js';

const TOKEN = 'x0mY-rfA_3Zt9Qw2Lk8P';
const OWN = { header: 'x-auth-token' } as const;
const NONE: Credentials = { kind: 'none' };
const SEVERAL: Credentials = { kind: 'several' };

/** RFC 6750, 2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`. */
const b64token = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,300}={0,2}$/);

describe('a bearer header', () => {
  it('carries a token (RFC 6750, 2.1)', () => {
    expect(bearer(`Bearer ${TOKEN}`)).toEqual(one(TOKEN));
  });

  it('carries any b64token, whole (RFC 6750, 2.1)', () => {
    fc.assert(
      fc.property(b64token, (token) => {
        expect(bearer(`Bearer ${token}`)).toEqual(one(token));
      }),
    );
  });

  it('has its scheme in any letter case (RFC 9110, 11.1)', () => {
    fc.assert(
      fc.property(fc.mixedCase(fc.constant('bearer')), (scheme) => {
        expect(bearer(`${scheme} ${TOKEN}`)).toEqual(one(TOKEN));
      }),
    );
  });

  it.each([
    [`Bearer   ${TOKEN}`, TOKEN],
    [`Bearer\t${TOKEN}`, TOKEN],
    [`Bearer ${TOKEN}  `, TOKEN],
  ])('of %j may have more white space around its token', (value, token) => {
    expect(bearer(value)).toEqual(one(token));
  });

  it.each([
    ['Bearer', ''],
    ['Bearer ', ''],
    [`Bearer ${TOKEN} ${TOKEN}`, `${TOKEN} ${TOKEN}`],
    [`Bearer ${TOKEN}, Bearer ${TOKEN}`, `${TOKEN}, Bearer ${TOKEN}`],
    [`Bearer token="${TOKEN}"`, `token="${TOKEN}"`],
  ])('of %j carries text that is no token, rather than nothing', (value, text) => {
    expect(bearer(value)).toEqual(one(text));
  });
});

describe('another Authorization header', () => {
  it.each([
    '',
    ' ',
    TOKEN,
    `Basic ${TOKEN}`,
    `Bearertoken ${TOKEN}`,
    `XBearer ${TOKEN}`,
    `Bearer=${TOKEN}`,
    ` Bearer ${TOKEN}`,
  ])('of %j carries no credentials of ours', (value) => {
    expect(bearer(value)).toEqual(NONE);
  });

  it('never throws, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, scheme) => {
        expect(['none', 'one']).toContain(bearer(scheme ? `Bearer ${text}` : text).kind);
      }),
    );
  });

  it('is not mistaken for one of its own in a table that takes no bearer header', () => {
    expect(credentialsOf(request({ authorization: `Bearer ${TOKEN}` }), [OWN])).toEqual(NONE);
  });
});

describe('several Authorization headers', () => {
  it('with a token each are several credentials, of which Node shows only the first', () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const rawHeaders = ['Authorization', `Bearer ${TOKEN}`, 'Host', 'a', 'AUTHORIZATION', 'bearer other'];
    expect(credentialsOf({ headers, rawHeaders }, ['bearer'])).toEqual(SEVERAL);
    expect(credentialsOf({ headers, raw: { rawHeaders } }, ['bearer'])).toEqual(SEVERAL);
  });

  it('with the same token are several too', () => {
    expect(
      credentialsOf(raw('Authorization', `Bearer ${TOKEN}`, 'Authorization', `Bearer ${TOKEN}`), ['bearer']),
    ).toEqual(SEVERAL);
  });

  it('of which one is a bearer header carry one token', () => {
    expect(credentialsOf(raw('Authorization', 'Basic YTpi', 'Authorization', `Bearer ${TOKEN}`), ['bearer'])).toEqual(
      one(TOKEN),
    );
  });

  it('are not counted among the values of other headers', () => {
    expect(credentialsOf(raw('X-Note', 'authorization', 'Authorization', `Bearer ${TOKEN}`), ['bearer'])).toEqual(
      one(TOKEN),
    );
  });
});

describe('a header of its own', () => {
  it('carries the token as it is', () => {
    expect(credentialsOf(request({ 'x-auth-token': TOKEN }), [OWN])).toEqual(one(TOKEN, OWN));
  });

  it('is not looked at where the table does not take it', () => {
    expect(credentialsOf(request({ 'x-auth-token': TOKEN }), ['bearer'])).toEqual(NONE);
  });

  it('sent twice carries several credentials, although Node joins it', () => {
    const twice = { ...raw('X-Auth-Token', 'a', 'x-auth-token', 'b'), headers: { 'x-auth-token': 'a, b' } };
    expect(credentialsOf(twice, [OWN])).toEqual(SEVERAL);
  });

  it('beside a bearer header makes two tokens, in either order of the sources', () => {
    const both = request({ authorization: `Bearer ${TOKEN}`, 'x-auth-token': TOKEN });
    expect(credentialsOf(both, ['bearer', OWN])).toEqual(SEVERAL);
    expect(credentialsOf(both, [OWN, 'bearer'])).toEqual(SEVERAL);
  });

  it('beside an Authorization header of another scheme is the only token', () => {
    const both = request({ authorization: 'Basic YTpi', 'x-auth-token': TOKEN });
    expect(credentialsOf(both, ['bearer', OWN])).toEqual(one(TOKEN, OWN));
  });
});

function one(token: string, source: CredentialSource = 'bearer'): Credentials {
  return { kind: 'one', token, source };
}

function bearer(authorization: string): Credentials {
  return credentialsOf(request({ authorization }), ['bearer']);
}

/** A request whose raw headers are those that Node shows. */
function request(headers: Record<string, string>): HttpRequest {
  return { headers, rawHeaders: Object.entries(headers).flat() };
}

/** A request as Node has it: of several headers of a name, the first. */
function raw(...rawHeaders: string[]): HttpRequest {
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) headers[rawHeaders[i]!.toLowerCase()] ??= rawHeaders[i + 1]!;
  return { headers, rawHeaders };
}
