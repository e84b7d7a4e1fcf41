import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCookieHeader } from '@nestjs/core/helpers/cookies/parse-cookie-header.js';
import { type Credentials, credentialsOf, isSameSource, type ResolvedSource, type HttpRequest } from './credentials.js';

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

describe('a cookie', () => {
  const COOKIE = { cookie: '__Host-session' } as const;
  const cookie = (text: string): Credentials => credentialsOf(request({ cookie: text }), [COOKIE]);

  it.each([
    `__Host-session=${TOKEN}`,
    `a=b; __Host-session=${TOKEN}; c=d`,
    `a=b;__Host-session=${TOKEN}`,
    `; ;\t __Host-session=${TOKEN} \t;`,
    `a; =b; __Host-session=${TOKEN}; __proto__=c`,
  ])('is found in %j', (text) => {
    expect(cookie(text)).toEqual(one(TOKEN, COOKIE));
  });

  it.each([
    '',
    `__Host-Session=${TOKEN}`,
    `__host-session=${TOKEN}`,
    `x__Host-session=${TOKEN}`,
    `__Host-session2=${TOKEN}`,
    `__Host-session`,
    `__Host-session =${TOKEN}`,
    `a="; __Host-sessio=n"`,
  ])('is not found in %j, where it has another name', (text) => {
    expect(cookie(text)).toEqual(NONE);
  });

  it('with a foreign space before its name is another one, to which browsers do not apply the rules of the prefix', () => {
    expect(cookie(`\u00a0__Host-session=${TOKEN}`)).toEqual(NONE);
  });

  it.each([
    ['__Host-session=', ''],
    [`__Host-session="${TOKEN}"`, `"${TOKEN}"`],
    [`__Host-session=%2${TOKEN}`, `%2${TOKEN}`],
    [`__Host-session=${TOKEN}=`, `${TOKEN}=`],
  ])('of %j has the text that came, which may be no token', (text, token) => {
    expect(cookie(text)).toEqual(one(token, COOKIE));
  });

  it.each([`__Host-session=${TOKEN}; __Host-session=${TOKEN}`, `__Host-session=a;__Host-session=`])(
    'that is there twice, as in %j, makes several credentials',
    (text) => {
      expect(cookie(text)).toEqual(SEVERAL);
    },
  );

  it('in two headers makes several credentials', () => {
    const twice = raw('Cookie', `__Host-session=${TOKEN}`, 'cookie', `__Host-session=${TOKEN}`);
    expect(credentialsOf(twice, [COOKIE])).toEqual(SEVERAL);
  });

  it('beside a bearer header makes several credentials, in either order of the sources', () => {
    const both = request({ authorization: `Bearer ${TOKEN}`, cookie: `__Host-session=${TOKEN}` });
    expect(credentialsOf(both, ['bearer', COOKIE])).toEqual(SEVERAL);
    expect(credentialsOf(both, [COOKIE, 'bearer'])).toEqual(SEVERAL);
  });

  it('is read by Nest as it is here (RFC 6265, 5.4)', () => {
    const other = fc
      .tuple(fc.constantFrom('a', 'session', '__Host-other'), fc.base64String({ maxLength: 20 }))
      .map(([name, value]) => `${name}=${value}`);
    const others = fc.array(other, { maxLength: 5 });
    const separator = fc.constantFrom(';', '; ', ';\t');
    fc.assert(
      fc.property(others, others, b64token, separator, (before, after, value, gap) => {
        const header = [...before, `__Host-session=${value}`, ...after].join(gap);
        expect(cookie(header)).toEqual(one(parseCookieHeader(header)['__Host-session']!, COOKIE));
      }),
    );
  });

  it('never throws, whatever its header holds', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__Host-session=', ';', '=', '"', '%', '\0'));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 50 }), (texts) => {
        expect(['none', 'one', 'several']).toContain(cookie(texts.join('')).kind);
      }),
    );
  });

  it('takes time in proportion to its header', () => {
    const spaces = ' '.repeat(1_000_000);
    expect(cookie(`${spaces}a${spaces};${spaces}__Host-session=x${spaces}`)).toEqual(one('x', COOKIE));
  });
});

describe('two sources', () => {
  const SOURCES = ['bearer', { header: 'a' }, { header: 'b' }, { cookie: 'a' }, { cookie: 'b' }] as const;

  it('are the same where their kind and their name are', () => {
    for (const [i, a] of SOURCES.entries())
      for (const [k, b] of SOURCES.entries()) expect(isSameSource(a, structuredClone(b))).toBe(i === k);
  });
});

function one(token: string, source: ResolvedSource = 'bearer'): Credentials {
  return { kind: 'one', token, source };
}

function bearer(authorization: string): Credentials {
  return credentialsOf(request({ authorization }), ['bearer']);
}

/** A request whose raw headers match the parsed ones. */
function request(headers: Record<string, string>): HttpRequest {
  return { headers, rawHeaders: Object.entries(headers).flat() };
}

/** A request as Node presents it: of several headers with one name, only the first. */
function raw(...rawHeaders: string[]): HttpRequest {
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) headers[rawHeaders[i]!.toLowerCase()] ??= rawHeaders[i + 1]!;
  return { headers, rawHeaders };
}
