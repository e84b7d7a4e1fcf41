/** Whether a character set can store all characters of a text. */
export type CharacterTest = (text: string) => boolean;

/** Sets of single bytes, as MySQL names them in lower case and PostgreSQL in upper case, and as decoders are named. */
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
/** Windows-1252, which MySQL calls latin1, and not every version of Node decodes. */
const WINDOWS_1252 = new Set(['latin1', 'cp1252', 'WIN1252']);
const IN_WINDOWS_1252 = /^[\0-\x7f\xa0-\xff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]*$/;
const TWO_BYTES = new Set(['utf8', 'utf8mb3', 'ucs2']);

/**
 * What tells whether a character set of the database can store a text; none where it can store any, or where that is not known.
 *
 * @param name as the catalogue of the database has it
 */
export function characterTest(name: string): CharacterTest | undefined {
  // Of the characters of two units the first is a surrogate.
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

/** The characters of a set of single bytes. */
function unitsOf(label: string): ReadonlySet<number> {
  const decoded = new TextDecoder(label).decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  return new Set(Array.from(decoded, (character) => character.charCodeAt(0)).filter((unit) => unit !== 0xfffd));
}
