import fc from 'fast-check';
import { expect, it } from 'vitest';
import { doubleFromHex } from './doubles.js';

it('a double is read from the digits of its bytes', () => {
  fc.assert(
    fc.property(fc.double(), (number) => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(number);
      expect(doubleFromHex(bytes.toString('hex'))).toBe(number);
    }),
    { examples: [[-0], [1e-320], [Infinity]] },
  );
});
