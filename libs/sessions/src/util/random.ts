import { randomBytes as fromSystem, randomFillSync } from 'node:crypto';

/** Bytes that the operating system's CSPRNG is asked for at once: to ask costs as much as hundreds of them. */
const BLOCK = 1024;

const block = Buffer.alloc(BLOCK);
let used = BLOCK;

/** Bytes of the operating system's CSPRNG, each of which is given once, and kept nowhere from then on. */
export function randomBytes(count: number): Buffer {
  if (count > BLOCK) return fromSystem(count);
  if (used + count > BLOCK) {
    randomFillSync(block);
    used = 0;
  }
  const bytes = Buffer.from(block.subarray(used, used + count));
  block.fill(0, used, (used += count));
  return bytes;
}
