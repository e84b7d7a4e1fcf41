/** A fenced block of a document. */
export interface Fence {
  readonly language: string;
  readonly code: string;
  /** The line of its first line of code, from 1. */
  readonly line: number;
  /** The HTML comment before it, such as `quick start`. */
  readonly label: string | undefined;
}

/** The fenced blocks of a document; in a docstring, of its text. */
export function fencesOf(document: string): Fence[] {
  const lines = document.split('\n');
  const fences: Fence[] = [];
  let open: { language: string; from: number } | undefined;
  for (const [i, line] of lines.entries()) {
    const mark = /^```(\w*)/.exec(line);
    if (!mark) continue;
    if (!open) open = { language: mark[1]!, from: i + 1 };
    else {
      fences.push({
        language: open.language,
        code: lines.slice(open.from, i).join('\n'),
        line: open.from + 1,
        label: labelAbove(lines, open.from - 1),
      });
      open = undefined;
    }
  }
  return fences;
}

/** The rows of the table under the HTML comment `<!-- label -->`, or under a heading; each cell's text. */
export function tableUnder(document: string, mark: string): string[][] {
  const lines = document.split('\n');
  const at = lines.findIndex((line) => line === `<!-- ${mark} -->` || line.replace(/^#+ /, '') === mark);
  const begin = lines.findIndex((line, i) => i > at && line.startsWith('|'));
  if (at < 0 || begin < 0) throw new Error(`There is no table under "${mark}".`);
  const length = lines.slice(begin).findIndex((line) => !line.startsWith('|'));
  return lines.slice(begin + 2, length < 0 ? undefined : begin + length).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(document: string): string[] {
  return [...document.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** The text under the heading with an anchor, up to the next one of its level or above. @throws Error where there is none */
export function sectionOf(document: string, anchor: string): string {
  const lines = document.split('\n');
  const at = lines.findIndex((line) => line.startsWith('#') && anchorsOf(line)[0] === anchor);
  if (at < 0) throw new Error(`There is no heading "#${anchor}".`);
  const level = /^#+/.exec(lines[at]!)![0].length;
  const end = lines.findIndex((line, i) => i > at && new RegExp(`^#{1,${level}} `).test(line));
  return lines.slice(at + 1, end < 0 ? undefined : end).join('\n');
}

/** The addresses of a document's links. */
export function linksOf(document: string): string[] {
  return [...document.matchAll(/\]\(([^)\s]+)\)/g)].map(([, address]) => address!);
}

function labelAbove(lines: readonly string[], fence: number): string | undefined {
  const above = lines.slice(0, fence).findLast((line) => line.trim() !== '');
  return /^<!-- (.+) -->$/.exec(above ?? '')?.[1];
}
