import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newId } from '../../util/uuid.js';
import { codecOf } from './codecs.js';
import { compareText } from './ordering.js';

const UUIDS = codecOf({ kind: 'uuid' });
const DIGESTS = codecOf({ kind: 'string', form: 'hex' });

describe('the codecs of rows in memory', () => {
  it('keep a UUID in a character for each of its bytes, and digests too', () => {
    const [id, digest] = [newId(1_767_225_600_000), hash('sha256', 'token')];
    expect(UUIDS.encode(id)).toHaveLength(16);
    expect(DIGESTS.encode(digest)).toHaveLength(32);
    expect(UUIDS.decode(UUIDS.encode(id))).toBe(id);
    expect(DIGESTS.decode(DIGESTS.encode(digest))).toBe(digest);
  });

  it('sort UUIDs as their text', () => {
    const ids = Array.from({ length: 1000 }, (_, i) =>
      hash('md5', String(i)).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    );
    const sorted = ids.toSorted((a, b) => compareText(UUIDS.encode(a) as string, UUIDS.encode(b) as string));
    expect(sorted).toEqual(ids.toSorted());
  });

  it('tell whatever a column of digests may hold from each other, and give it back', () => {
    const digest = hash('sha256', 'token');
    const packed = DIGESTS.encode(digest) as string;
    const texts = [digest, digest.toUpperCase(), packed, `k1:${digest}`, hash('sha512', 'token'), 'x'.repeat(33), ''];
    const stored = texts.map((text) => DIGESTS.encode(text));
    expect(new Set(stored).size).toBe(texts.length);
    expect(stored.map((text) => DIGESTS.decode(text))).toEqual(texts);
  });
});
