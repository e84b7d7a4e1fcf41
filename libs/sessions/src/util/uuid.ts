import { v7 } from 'uuid';
import { randomBytes } from './random.js';

/** The ways in which a UUID may stand in text: as it is given, in small letters, and in capitals. */
export function spellingsOf(uuid: string): string[] {
  return [...new Set([uuid, uuid.toLowerCase(), uuid.toUpperCase()])];
}

/** The last one's time, and its place among those of the same. */
let last = { msecs: NaN, seq: 0 };

/** A UUID, version 7, of a time in milliseconds, which may be earlier than the last one's; those of one time are in their order. */
export function newId(ms: number): string {
  const msecs = Math.max(0, Math.floor(ms));
  last = { msecs, seq: msecs === last.msecs ? last.seq + 1 : randomBytes(4).readUInt32BE() >>> 1 };
  return v7({ ...last, random: randomBytes(16) });
}
