import * as fc from 'fast-check';
import type { RawHeaders } from './raw-connection.js';

const MEGABYTE = 1_000_000;

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const tokenText = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'ABCZabcz019-_'), minLength, maxLength });

/** A code unit that is half a character, in the bytes that UTF-8 would have for it if it had any. */
const loneSurrogate = fc
  .tuple(fc.integer({ min: 0xa0, max: 0xbf }), fc.integer({ min: 0x80, max: 0xbf }))
  .map(([second, third]) => Buffer.from([0xed, second, third]));

const controls = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 31 }), fc.constant(127)), { minLength: 1, maxLength: 4 })
  .map((codes) => Buffer.from(codes));

const scheme = fc.oneof(
  { weight: 6, arbitrary: fc.mixedCase(fc.constant('Bearer')) },
  { weight: 1, arbitrary: fc.constantFrom('Basic', 'Digest', 'Negotiate', 'Token', 'BearerX', 'DPoP', 'OAuth', '') },
);
const space = fc.constantFrom(' ', ' ', ' ', '  ', '\t', '', ':', '=', ',', ' Bearer ');

const token = fc.oneof(
  { weight: 3, arbitrary: tokenText(64, 64) },
  { weight: 1, arbitrary: tokenText(0, 300) },
  { weight: 1, arbitrary: tokenText(14, 17) },
  { weight: 1, arbitrary: tokenText(43, 49).map((text) => `key_${text}`) },
  { weight: 1, arbitrary: fc.base64String({ maxLength: 90 }) },
);

/** What stands after the scheme: a token, or a token with something foreign in it, or something foreign alone. */
const junk = fc.oneof(
  controls,
  loneSurrogate,
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text, 'utf8')),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text, 'utf16le')),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
);
const spoiltToken = fc
  .tuple(token, junk, fc.nat())
  .map(([text, foreign, at]) =>
    Buffer.concat([latin1(text.slice(0, at % (text.length + 1))), foreign, latin1(text.slice(at % (text.length + 1)))]),
  );
const credentials = fc.oneof(
  { weight: 4, arbitrary: token.map(latin1) },
  { weight: 5, arbitrary: spoiltToken },
  { weight: 2, arbitrary: junk },
);
const value = fc
  .tuple(scheme, space, credentials)
  .map(([name, gap, rest]) => Buffer.concat([latin1(name + gap), rest]));

const megabyte = fc
  .tuple(scheme, fc.constantFrom(0x41, 0x5f, 0x00, 0x20, 0xff))
  .map(([name, byte]) => Buffer.concat([latin1(`${name} `), Buffer.alloc(MEGABYTE, byte)]));

const authorization = fc.mixedCase(fc.constant('Authorization'));

/** The headers of one request: most have one `Authorization`, some have several or `X-Auth-Token` too, a few are huge. */
export const hostileHeaders: fc.Arbitrary<RawHeaders> = fc.oneof(
  { weight: 320, arbitrary: fc.tuple(fc.tuple(authorization, value)) },
  { weight: 60, arbitrary: fc.array(fc.tuple(authorization, value), { minLength: 2, maxLength: 4 }) },
  {
    weight: 20,
    arbitrary: fc.tuple(fc.tuple(authorization, value), fc.tuple(fc.constant('X-Auth-Token'), credentials)),
  },
  { weight: 1, arbitrary: fc.tuple(fc.tuple(authorization, megabyte)) },
);

/** Whether a value holds the end of a line, so that what is after it is another header, or another request. */
export function breaksLines(headers: RawHeaders): boolean {
  return headers.some(([, value]) => value.includes('\n') || value.includes('\r'));
}

/**
 * Whether the headers carry one thing that looks like the token of a session, and so is worth a query.
 *
 * @see RFC 6750, 2.1; RFC 9110, 5.5: white space around a value is none of it, and control characters are not allowed
 */
export function carryOneToken(headers: RawHeaders): boolean {
  const values = headers.map(([name, value]) => [name.toLowerCase(), value.toString('latin1')] as const);
  if (values.some(([, text]) => /[^\t\x20-\x7e\x80-\xff]/.test(text))) return false;
  const tokens = values.flatMap(([name, text]) => {
    const trimmed = text.replace(/^[ \t]+|[ \t]+$/g, '');
    if (name === 'x-auth-token') return [trimmed];
    const bearer = /^bearer(?:[ \t]+(.*))?$/i.exec(trimmed);
    return bearer ? [bearer[1] ?? ''] : [];
  });
  return tokens.length === 1 && /^[A-Za-z0-9_-]{16,255}$/.test(tokens[0]!);
}
