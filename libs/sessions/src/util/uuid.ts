import { v7 } from 'uuid';
import { randomBytes } from './random.js';

/** The possible spellings of a UUID in text: as given, in lower case, and in upper case. */
export function spellingsOf(uuid: string): string[] {
  return [...new Set([uuid, uuid.toLowerCase(), uuid.toUpperCase()])];
}

/** The time of the last one. */
let last = NaN;
/** Its position among those of the same time. */
let seq = 0;

/** Creates a UUID, version 7, for a time in milliseconds, which may be before the last one. Those of one time keep their order. */
export function newId(ms: number): string {
  const msecs = Math.max(0, Math.floor(ms));
  seq = msecs === last ? seq + 1 : randomBytes(4).readUInt32BE() >>> 1;
  last = msecs;
  return v7({ msecs, seq, random: randomBytes(16) });
}
