import { DIGEST_BYTES } from '../../port/value-forms.js';
import type { FormCodecs } from './forms.js';

/** A key's id, before the digest made with that key. */
const KEY = /^([A-Za-z0-9_-]{1,32}):/;

/** The bytes of a digest made with a key. */
const KEYED_BYTES = 32;

/** How hexadecimal digests of tokens get into binary or base64url columns and back. */
export const DIGESTS: FormCodecs = {
  [DIGEST_BYTES]: {
    dump: (digest) => Buffer.from(bytesOfDigest(digest), 'hex'),
    load: (bytes) => fromBytes(bytes as Uint8Array),
  },
  base64url: {
    dump: (digest) => inParts(digest as string, (hex) => Buffer.from(hex, 'hex').toString('base64url')),
    load: (text) => inParts(text as string, (encoded) => Buffer.from(encoded, 'base64url').toString('hex')),
  },
};

/** The bytes of a digest, in hexadecimal. */
export function bytesOfDigest(stored: unknown): string {
  const digest = stored as string;
  const start = digest.indexOf(':') + 1;
  // The common case.
  if (start === 0) return digest;
  return Buffer.from(digest.slice(0, start), 'latin1').toString('hex') + digest.slice(start);
}

/** The key's id with its colon unchanged, and the rest converted. */
function inParts(digest: string, convert: (rest: string) => string): string {
  const start = digest.indexOf(':') + 1;
  return digest.slice(0, start) + convert(digest.slice(start));
}

function fromBytes(bytes: Uint8Array): string {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === KEYED_BYTES) return all.toString('hex');
  const [key = ''] = KEY.exec(all.toString('latin1', 0, Math.max(0, bytes.length - KEYED_BYTES))) ?? [];
  const start = bytes.length - key.length === KEYED_BYTES ? key.length : 0;
  return all.toString('latin1', 0, start) + all.toString('hex', start);
}
