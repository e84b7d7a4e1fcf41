import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFromOwnOrigin, isNavigation, isUnsafe } from './request-origin.js';

const TRUSTED = 'https://app.example.com';

interface Sent {
  readonly site?: string;
  readonly origin?: string;
  readonly host?: string;
  readonly protocol?: string;
}

function isOwn({ site, origin, host = 'api.example.com', protocol = 'http' }: Sent, trusted: string[] = []): boolean {
  const headers = { ...(site !== undefined && { 'sec-fetch-site': site }), ...(origin !== undefined && { origin }) };
  return isFromOwnOrigin({ headers, host, protocol }, trusted);
}

describe('a request with Sec-Fetch-Site (ASVS 3.5.1)', () => {
  it.each(['same-origin', 'none'])('%s is our own', (site) => {
    expect(isOwn({ site })).toBe(true);
  });

  it.each(['same-site', 'cross-site', '', 'SAME-ORIGIN', 'same-origin, same-origin', 'same-origin;a', 'unheard-of'])(
    '%j is not',
    (site) => {
      expect(isOwn({ site })).toBe(false);
    },
  );

  it('is judged by all that was sent, where a handshake has each header as a list', () => {
    const headersOf = (...sites: string[]) => ({ headers: { 'sec-fetch-site': sites } });
    expect(isFromOwnOrigin(headersOf('same-origin'), [])).toBe(true);
    expect(isFromOwnOrigin(headersOf('same-origin', 'cross-site'), [])).toBe(false);
    expect(isFromOwnOrigin(headersOf('cross-site', 'same-origin'), [])).toBe(false);
  });

  it('is judged by it alone, although its Origin is that of the host', () => {
    expect(isOwn({ site: 'cross-site', origin: 'https://api.example.com' })).toBe(false);
    expect(isOwn({ site: 'same-origin', origin: 'https://evil.example' })).toBe(true);
  });

  it('of another site is let through from a trusted origin, from no other', () => {
    expect(isOwn({ site: 'same-site', origin: TRUSTED }, [TRUSTED])).toBe(true);
    expect(isOwn({ site: 'cross-site', origin: TRUSTED }, [TRUSTED])).toBe(true);
    expect(isOwn({ site: 'cross-site', origin: 'https://evil.example' }, [TRUSTED])).toBe(false);
    expect(isOwn({ site: 'cross-site' }, [TRUSTED])).toBe(false);
  });
});

describe('a request without it is judged by its Origin (ASVS 3.5.1)', () => {
  it.each<[string, Sent]>([
    ['of the same host over http', { origin: 'http://api.example.com' }],
    ['of the same host over https, since a proxy may end TLS', { origin: 'https://api.example.com' }],
    ['of the same host over https', { origin: 'https://api.example.com', protocol: 'https' }],
    ['with the same port', { origin: 'http://localhost:3000', host: 'localhost:3000' }],
    ['whose host names the port of the scheme', { origin: 'https://a.example', host: 'a.example:443' }],
    ['whose host is in capitals', { origin: 'http://a.example', host: 'A.Example' }],
    ['of an IPv6 address', { origin: 'http://[::1]:3000', host: '[::1]:3000' }],
  ])('%s: our own', (_, sent) => {
    expect(isOwn(sent)).toBe(true);
  });

  it.each<[string, Sent]>([
    ['of another host', { origin: 'https://evil.example' }],
    ['of another host of the site', { origin: 'https://www.example.com' }],
    ['of a host that begins alike', { origin: 'https://api.example.com.evil.example' }],
    ['of another port', { origin: 'http://localhost:4000', host: 'localhost:3000' }],
    ['over http, of a host that was asked over https', { origin: 'http://api.example.com', protocol: 'https' }],
    ['that is opaque', { origin: 'null' }],
    ['that is opaque, with an odd host and scheme', { origin: 'null', host: '', protocol: 'file' }],
    ['that is empty', { origin: '' }],
    ['twice', { origin: 'http://api.example.com, http://api.example.com' }],
    ['with a path', { origin: 'http://api.example.com/' }],
    ['without a scheme', { origin: 'api.example.com' }],
    ['and a host that is none', { origin: 'http://api.example.com', host: 'a b' }],
  ])('%s: not our own', (_, sent) => {
    expect(isOwn(sent)).toBe(false);
  });

  it('is refused where it has neither header (OWASP: block where there is nothing to verify)', () => {
    expect(isOwn({})).toBe(false);
    expect(isOwn({}, [TRUSTED])).toBe(false);
    expect(isOwn({ host: 'a b' })).toBe(false);
  });

  it('is let through from a trusted origin, to the letter', () => {
    expect(isOwn({ origin: TRUSTED }, [TRUSTED])).toBe(true);
    for (const origin of [`${TRUSTED}/`, `${TRUSTED}:443`, TRUSTED.toUpperCase(), 'http://app.example.com'])
      expect(isOwn({ origin }, [TRUSTED])).toBe(false);
  });

  it('is our own where the hosts are the same, whatever they are', () => {
    const host = fc.oneof(fc.domain(), fc.constantFrom('a.example', 'b.a.example', 'a.example.b', 'localhost:3000'));
    fc.assert(
      fc.property(host, host, fc.boolean(), (ours, theirs, same) => {
        const origin = `https://${same ? ours : theirs}`;
        expect(isOwn({ origin, host: ours })).toBe(same || ours === theirs);
      }),
    );
  });

  it('never makes an error, whatever its headers hold', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    fc.assert(
      fc.property(text, text, text, (origin, host, protocol) => {
        expect([true, false]).toContain(isOwn({ origin, host, protocol }));
      }),
    );
  });
});

describe('a method', () => {
  it.each(['GET', 'HEAD', 'OPTIONS'])('%s is safe (ASVS 3.5.3)', (method) => {
    expect(isUnsafe({ headers: {}, method })).toBe(false);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'TRACE', 'get', '', undefined])('%s is not', (method) => {
    expect(isUnsafe({ headers: {}, method })).toBe(true);
  });
});

describe('a navigation', () => {
  it('is what says so', () => {
    expect(isNavigation({ headers: { 'sec-fetch-mode': 'navigate' } })).toBe(true);
    for (const mode of ['cors', 'same-origin', 'no-cors', 'websocket', ''])
      expect(isNavigation({ headers: { 'sec-fetch-mode': mode } })).toBe(false);
    expect(isNavigation({ headers: {} })).toBe(false);
  });
});
