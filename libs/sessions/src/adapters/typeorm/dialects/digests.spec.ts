import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIGEST_BYTES } from '../../port/value-forms.js';
import { DIGESTS } from './digests.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const digests = fc.oneof(
  fc
    .constantFrom(20, 28, 32, 48, 64)
    .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }).map(hex)),
  fc
    .tuple(fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/), fc.uint8Array({ minLength: 32, maxLength: 32 }))
    .map(([id, hmac]) => `${id}:${hex(hmac)}`),
);

describe.each([DIGEST_BYTES, 'base64url'] as const)('digests as %s', (form) => {
  const { dump, load } = DIGESTS[form]!;

  it('come back as they were', () => {
    fc.assert(
      fc.property(digests, (digest) => {
        expect(load!(dump!(digest))).toBe(digest);
      }),
    );
  });

  it('come back from bytes of any kind, and from a part of a buffer', () => {
    fc.assert(
      fc.property(digests, (digest) => {
        const dumped = dump!(digest);
        if (!(dumped instanceof Uint8Array)) return;
        const padded = new Uint8Array([9, ...dumped, 9]);
        expect(load!(new Uint8Array(dumped))).toBe(digest);
        expect(load!(padded.subarray(1, -1))).toBe(digest);
      }),
    );
  });
});

describe('digests in hexadecimal', () => {
  it('are stored as they are', () => expect(DIGESTS.hex).toBeUndefined());
});
