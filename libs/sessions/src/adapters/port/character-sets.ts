/** Whether a character set can store all characters of a text. */
export type CharacterTest = (text: string) => boolean;

/** Single-byte character sets, with their names in MySQL (lower case), in PostgreSQL (upper case) and as decoders. */
const DECODERS: readonly (readonly [RegExp, string])[] = [
  [/^(?:cp|WIN)(125[013-8])$/, 'windows-$1'],
  [/^(?:LATIN2|latin2)$/, 'iso-8859-2'],
  [/^LATIN([34])$/, 'iso-8859-$1'],
  [/^ISO_8859_([5-8])$/, 'iso-8859-$1'],
  [/^greek$/, 'iso-8859-7'],
  [/^hebrew$/, 'iso-8859-8'],
  [/^(?:LATIN7|latin7)$/, 'iso-8859-13'],
  [/^LATIN8$/, 'iso-8859-14'],
  [/^LATIN9$/, 'iso-8859-15'],
  [/^(?:koi8|KOI8)([ruRU])$/, 'koi8-$1'],
  [/^(?:cp|WIN)866$/, 'ibm866'],
];

const BELOW: Readonly<Record<string, number>> = { ascii: 0x80, LATIN1: 0x100 };
/** Windows-1252. MySQL calls it latin1, and not every version of Node decodes it. */
const WINDOWS_1252 = new Set(['latin1', 'cp1252', 'WIN1252']);
const IN_WINDOWS_1252 = /^[\0-\x7f\xa0-\xff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]*$/;
const TWO_BYTES = new Set(['utf8', 'utf8mb3', 'ucs2']);

/**
 * Returns the test of a character set of the database; `undefined` if it can store any text, or is unknown.
 *
 * @param name the name in the database's catalogue
 */
export function characterTest(name: string): CharacterTest | undefined {
  // Of a character with two code units, the first is a surrogate.
  if (TWO_BYTES.has(name)) return (text) => !/[\ud800-\udfff]/.test(text);
  if (WINDOWS_1252.has(name)) return (text) => IN_WINDOWS_1252.test(text);
  const end = Object.hasOwn(BELOW, name) ? BELOW[name] : undefined;
  if (end !== undefined) return (text) => everyUnit(text, (unit) => unit < end);
  const [pattern, label] = DECODERS.find(([one]) => one.test(name)) ?? [];
  if (!pattern) return undefined;
  const units = unitsOf(name.replace(pattern, label!).toLowerCase());
  return (text) => everyUnit(text, (unit) => units.has(unit));
}

function everyUnit(text: string, test: (unit: number) => boolean): boolean {
  for (let i = 0; i < text.length; i++) if (!test(text.charCodeAt(i))) return false;
  return true;
}

/** The characters of a single-byte character set. */
function unitsOf(label: string): ReadonlySet<number> {
  const decoded = new TextDecoder(label).decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  return new Set(Array.from(decoded, (character) => character.charCodeAt(0)).filter((unit) => unit !== 0xfffd));
}
