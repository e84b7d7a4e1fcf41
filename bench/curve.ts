import { type Group, ratioOf } from './results.js';

const WIDTH = 920;
const HEIGHT = 340;
const LEFT = 60;
const RIGHT = 290;
const TOP = 44;
const BOTTOM = 40;
const LABEL_HEIGHT = 18;

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328; }
    .title { font-weight: 600; font-size: 14px; }
    .note { fill: #59636e; font-size: 12px; }
    .grid { stroke: #d0d7de; }
    .line { fill: none; stroke: #9aa4b0; stroke-width: 2; }
    .own { stroke: #2563c9; }
    .spread { stroke: #9aa4b0; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .note { fill: #9198a1; }
      .grid { stroke: #30363d; }
      .line, .spread { stroke: #59636e; }
      .own { stroke: #4c8dff; }
    }`;

/** How the time of a look-up grows with its table: a line for each group, through the medians, with their spread. */
export function curveOf(groups: readonly Group[]): string {
  const names = groups[0]?.results.map(({ name }) => name) ?? [];
  const highest = Math.max(2, ...groups.flatMap((group) => group.results.map((result) => ratioOf(group, result).max)));
  const x = (i: number): number => round(LEFT + (i / Math.max(1, names.length - 1)) * (WIDTH - LEFT - RIGHT));
  const y = (ratio: number): number => round(HEIGHT - BOTTOM - (ratio / highest) * (HEIGHT - TOP - BOTTOM));
  const marks = Array.from({ length: Math.floor(highest * 2) + 1 }, (_, i) => i / 2);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">
  <title id="title">How the time of a look-up grows with the rows of its table</title>
  <style>${STYLE}
  </style>
  <text class="title" x="0" y="20">Time of a look-up, against that in the smallest table</text>
${marks.map((mark) => gridLine(mark, y(mark))).join('\n')}
${names.map((name, i) => `  <text class="note" x="${x(i)}" y="${HEIGHT - 14}" text-anchor="middle">${name}</text>`).join('\n')}
${groups.map((group) => lineOf(group, x, y)).join('\n')}
${labels(groups, x(names.length - 1) + 12, y)}
</svg>
`;
}

function gridLine(mark: number, y: number): string {
  return [
    `  <line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`,
    `  <text class="note" x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${mark.toFixed(1)}</text>`,
  ].join('\n');
}

function lineOf(group: Group, x: (i: number) => number, y: (ratio: number) => number): string {
  const ratios = group.results.map((result) => ratioOf(group, result));
  const own = group.results.some((result) => result.own);
  const points = ratios.map(({ median }, i) => `${x(i)},${y(median)}`);
  return [
    ...ratios.map(
      ({ min, max }, i) => `  <line class="spread" x1="${x(i)}" x2="${x(i)}" y1="${y(min)}" y2="${y(max)}"/>`,
    ),
    `  <polyline class="line${own ? ' own' : ''}" points="${points.join(' ')}"/>`,
  ].join('\n');
}

/** The names of the lines at their ends, from the highest on, none of them on another. */
function labels(groups: readonly Group[], x: number, y: (ratio: number) => number): string {
  const ends = groups
    .map((group) => ({
      name: group.title.replace(/^Growth: /, ''),
      end: y(ratioOf(group, group.results.at(-1)!).median),
    }))
    .toSorted((a, b) => a.end - b.end);
  let free = 0;
  return ends
    .map(({ name, end }) => {
      const at = Math.max(end + 4, free);
      free = at + LABEL_HEIGHT;
      return `  <text x="${x}" y="${round(at)}">${name}</text>`;
    })
    .join('\n');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
