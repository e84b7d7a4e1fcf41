import { describe, expect, it } from 'vitest';
import { type ResolvedCookie, resolveCookie } from './cookie-options.js';

interface Outcome {
  readonly resolved: ResolvedCookie;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Options as given in JavaScript, without type checks. */
function resolve(options: object): Outcome {
  const problems: string[] = [];
  const warnings: string[] = [];
  const resolved = resolveCookie(
    options,
    (text) => problems.push(text),
    (text) => warnings.push(text),
  );
  return { resolved, problems, warnings };
}

describe('resolveCookie', () => {
  it('makes a cookie as ASVS 3.3.1 to 3.3.4 has it', () => {
    expect(resolve({})).toEqual({
      resolved: {
        name: '__Host-session',
        attributes: {
          path: '/',
          domain: undefined,
          secure: true,
          sameSite: 'lax',
          partitioned: undefined,
          priority: undefined,
          httpOnly: true,
        },
        persistent: true,
        trustedOrigins: [],
      },
      problems: [],
      warnings: [],
    });
  });

  it('takes every option together, and lets scripts read none (ASVS 3.3.4)', () => {
    const trustedOrigins = ['https://app.example.com', 'http://localhost:5173'];
    const where = { path: '/app', domain: 'example.com', secure: true, sameSite: 'none', partitioned: true };
    const { resolved, problems } = resolve({
      ...where,
      priority: 'high',
      name: '__Secure-id',
      persistent: false,
      trustedOrigins,
      httpOnly: false,
    });
    expect(problems).toEqual([]);
    const attributes = { ...where, priority: 'high', httpOnly: true };
    expect(resolved).toEqual({ name: '__Secure-id', attributes, persistent: false, trustedOrigins });
  });

  it.each([{ secure: false }, { path: '/app' }, { domain: 'example.com' }])(
    'has a default name that browsers take with %o (ASVS 3.3.3)',
    (options) => {
      const { resolved, problems } = resolve(options);
      expect([resolved.name, problems]).toEqual(['session', []]);
    },
  );

  it('warns of a cookie that goes over plain http (ASVS 3.3.1)', () => {
    expect(resolve({ secure: false }).warnings).toEqual([
      'cookie.secure is false, so that everyone who listens on the network can take every session',
    ]);
  });

  it.each([{ secure: false }, { path: '/app' }, { domain: 'example.com' }])(
    'refuses a name with __Host- and %o, which browsers would drop',
    (options) => {
      for (const name of ['__Host-id', '__host-id', '__Host-Http-id']) {
        expect(resolve({ ...options, name }).problems).toEqual([
          "cookie.name: browsers take a name with __Host- only with secure, the path '/' and no domain",
        ]);
      }
    },
  );

  it.each(['__Secure-', '__secure-', '__Http-'])('refuses a name with %s that is not secure', (prefix) => {
    expect(resolve({ name: `${prefix}id`, secure: false }).problems).toEqual([
      `cookie.name: browsers take a name with ${prefix} only with secure`,
    ]);
    expect(resolve({ name: `${prefix}id`, path: '/app', domain: 'example.com' }).problems).toEqual([]);
  });

  it.each(['', 'a b', 'a=b', 'a;b', 'a,b', '"a"', 'a\r\n', 'sitzung\u00e4', 'a/b'])('refuses the name %j', (name) => {
    expect(resolve({ name }).problems).toEqual([
      `cookie.name must have letters, digits and !#$%&'*+-.^_\`|~ only, not ${JSON.stringify(name)}`,
    ]);
  });

  it.each([
    [{ sameSite: 'Lax' }, 'cookie.sameSite must be one of strict, lax, none, not "Lax"'],
    [{ sameSite: 'none', secure: false }, "cookie.sameSite 'none' needs secure, or browsers drop the cookie"],
    [{ partitioned: true, secure: false }, 'cookie.partitioned needs secure, or browsers drop the cookie'],
    [{ priority: 'High' }, 'cookie.priority must be one of low, medium, high, not "High"'],
    [{ path: 'app' }, 'cookie.path must begin with / and have no semicolon, not "app"'],
    [{ path: '/a;b' }, 'cookie.path must begin with / and have no semicolon, not "/a;b"'],
    [
      { domain: 'https://example.com' },
      'cookie.domain must be a host name such as example.com, not "https://example.com"',
    ],
    [{ domain: 'example.com; a' }, 'cookie.domain must be a host name such as example.com, not "example.com; a"'],
  ])('refuses %o', (options, text) => {
    expect(resolve(options).problems).toEqual([text]);
  });

  it.each(['https://app.example.com', { 0: 'https://app.example.com' }, null])(
    'takes %o for no list of trusted origins',
    (trustedOrigins) => {
      expect(resolve({ trustedOrigins }).problems).toEqual([
        `cookie.trustedOrigins must be a list of origins, not ${JSON.stringify(trustedOrigins)}`,
      ]);
    },
  );

  it.each([
    'https://app.example.com/',
    'app.example.com',
    'HTTPS://app.example.com',
    'https://a.example:443',
    'null',
    'ws://app.example.com',
    'ftp://app.example.com',
    'https://app.example.com,b.example.com',
    'https://(app|admin).example.com',
  ])('refuses %j for a trusted origin, which no Origin header would equal', (origin) => {
    expect(resolve({ trustedOrigins: ['https://a.example', origin] }).problems).toEqual([
      `cookie.trustedOrigins must be origins as browsers send them, such as 'https://app.example.com', not ${JSON.stringify(origin)}`,
    ]);
  });

  it.each(['*', 'https://*', 'https://*.example.com', 'https://app.example.com:*'])(
    'refuses the wildcard %j for trusted origins, and says what to do instead',
    (origin) => {
      expect(resolve({ trustedOrigins: [origin] }).problems).toEqual([
        `cookie.trustedOrigins must be origins as browsers send them, such as 'https://app.example.com', not ${JSON.stringify(origin)}: there are no wildcards, so name each origin, or override mayUseCookie of SessionGuard`,
      ]);
    },
  );

  it.each([
    'http://localhost:5173',
    'https://a_b.example.com.',
    'https://127.0.0.1',
    'http://[::1]:3000',
    'https://xn--bcher-kva.example',
  ])('takes the origin %j', (origin) => {
    expect(resolve({ trustedOrigins: [origin] }).problems).toEqual([]);
  });
});
