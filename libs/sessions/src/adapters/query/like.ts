/** A part of a `LIKE` pattern: any text, any one character, or literal text. */
export type LikePart = { readonly any: 'text' | 'character' } | { readonly text: string };

/**
 * Parses a `LIKE` pattern: `%` is any text, `_` any one character, and a backslash makes the next character literal.
 */
export function likeParts(pattern: string): LikePart[] {
  const parts: LikePart[] = [];
  for (const [found, escaped] of pattern.matchAll(/\\([^])|[^]/gu)) {
    if (found === '%') parts.push({ any: 'text' });
    else if (found === '_') parts.push({ any: 'character' });
    else parts.push({ text: escaped ?? found });
  }
  return parts;
}

/** The pattern with backslashes only where needed, since databases treat others differently. */
export function escapeLike(pattern: string): string {
  return likeParts(pattern)
    .map((part) => ('any' in part ? (part.any === 'text' ? '%' : '_') : part.text.replace(/[\\%_]/, String.raw`\$&`)))
    .join('');
}

/** The same as a pattern of SQLite's `GLOB`, which is case-sensitive, unlike its `LIKE`. */
export function globPattern(pattern: string): string {
  return likeParts(pattern)
    .map((part) => ('any' in part ? (part.any === 'text' ? '*' : '?') : part.text.replace(/[*?[]/, '[$&]')))
    .join('');
}
