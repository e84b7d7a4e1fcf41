import { type LikePart, likeParts } from '../query/like.js';

/**
 * Matches text against a `LIKE` pattern, case-sensitively. Needs no memory for the text, and at most one step for each
 * character of the text and part of the pattern. A regular expression may try every way to split the text.
 */
export function likeMatcher(pattern: string): (text: string) => boolean {
  const parts = joined(likeParts(pattern));
  return (text) => matches(parts, text);
}

function matches(parts: readonly LikePart[], text: string): boolean {
  let [at, next] = [0, 0];
  /** The part after the last `%`, and where it was last tried. */
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
    // Earlier parts keep their match: the first possible place leaves the most text for the rest.
    if (resumed < 0) return false;
    if (resumed === parts.length) return true;
    tried = following(parts[resumed]!, text, tried);
    if (tried < 0) return false;
    [at, next] = [tried, resumed];
  }
  return true;
}

/** Where a part that starts here ends; -1 if it does not match. */
function endOf(part: LikePart, text: string, at: number): number {
  if ('text' in part) return text.startsWith(part.text, at) ? at + part.text.length : -1;
  return at < text.length ? at + widthAt(text, at) : -1;
}

/** The next place where a part may start; -1 if there is none. */
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

/** Joins consecutive characters into one text, and consecutive `%` into one. */
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
