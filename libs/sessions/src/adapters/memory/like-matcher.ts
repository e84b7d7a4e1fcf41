import { type LikePart, likeParts } from '../query/like.js';

/**
 * Whether text matches a `LIKE` pattern, case included. It needs no memory for the text, and time for each
 * character of the text and part of the pattern at most, where a regular expression may try every way to share out the text.
 */
export function likeMatcher(pattern: string): (text: string) => boolean {
  const parts = joined(likeParts(pattern));
  return (text) => matches(parts, text);
}

function matches(parts: readonly LikePart[], text: string): boolean {
  let [at, next] = [0, 0];
  /** After the last `%` that was met, and where what follows it was tried last. */
  let [resumed, tried] = [-1, 0];
  while (at < text.length || next < parts.length) {
    const part = parts[next];
    if (part && isAnyText(part)) {
      [resumed, tried] = [++next, at];
      continue;
    }
    const end = part ? endOf(part, text, at) : -1;
    if (end >= 0) {
      [at, next] = [end, next + 1];
      continue;
    }
    // What the parts before it have matched stands: the first place at which they do leaves most to the others.
    if (resumed < 0) return false;
    if (resumed === parts.length) return true;
    tried = following(parts[resumed]!, text, tried);
    if (tried < 0) return false;
    [at, next] = [tried, resumed];
  }
  return true;
}

/** Where a part ends that begins at this place; -1 where it does not. */
function endOf(part: LikePart, text: string, at: number): number {
  if ('text' in part) return text.startsWith(part.text, at) ? at + part.text.length : -1;
  return at < text.length ? at + widthAt(text, at) : -1;
}

/** The next place after this one at which a part may begin; -1 where there is none. */
function following(part: LikePart, text: string, at: number): number {
  if ('text' in part) return text.indexOf(part.text, at + 1);
  return at < text.length ? at + widthAt(text, at) : -1;
}

function widthAt(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}

function isAnyText(part: LikePart): boolean {
  return 'any' in part && part.any === 'text';
}

/** Characters that follow each other as one text, and one `%` for several. */
function joined(parts: readonly LikePart[]): LikePart[] {
  const all: LikePart[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (last && isAnyText(last) && isAnyText(part)) continue;
    if (last && 'text' in last && 'text' in part) all[all.length - 1] = { text: last.text + part.text };
    else all.push(part);
  }
  return all;
}
