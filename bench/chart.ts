import { type Group, ratioOf, type Result } from './results.js';

const WIDTH = 920;
const LABELS = 370;
const FIGURES = 60;
const BARS = WIDTH - LABELS - FIGURES;
const ROW = 22;
const BAR = 14;
const TITLE = 40;
const GAP = 14;

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328; }
    .title { font-weight: 600; font-size: 14px; }
    .note { fill: #59636e; font-size: 12px; }
    .bar { fill: #9aa4b0; }
    .own { fill: #2563c9; }
    .spread { stroke: #1f2328; stroke-width: 1.5; }
    .limit { stroke: #59636e; stroke-dasharray: 3 3; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .note { fill: #9198a1; }
      .bar { fill: #59636e; }
      .own { fill: #4c8dff; }
      .spread { stroke: #e6edf3; }
      .limit { stroke: #9198a1; }
    }`;

/** The ratios of all groups to their baselines as horizontal bars, with their spread. */
export function chartOf(groups: readonly Group[]): string {
  const heights = groups.map(({ results }) => TITLE + results.length * ROW + GAP);
  const height = heights.reduce((sum, one) => sum + one, 0);
  const panels = groups.map((group, i) =>
    panelOf(
      group,
      heights.slice(0, i).reduce((sum, one) => sum + one, 0),
    ),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">
  <title id="title">Speed against the baseline of each group: ${groups.map(({ title }) => escaped(title)).join('; ')}</title>
  <style>${STYLE}
  </style>
${panels.join('\n')}
</svg>
`;
}

function panelOf(group: Group, top: number): string {
  const [baseline] = group.results;
  const widest = Math.max(...group.results.map((result) => ratioOf(group, result).max));
  const x = (ratio: number): number => rounded(LABELS + (ratio / widest) * BARS);
  const bottom = top + TITLE + group.results.length * ROW;
  return [
    `  <text class="title" x="0" y="${top + 24}">${escaped(group.title)}</text>`,
    `  <text class="note" x="${LABELS}" y="${top + 24}">${escaped(baseline.name)} = 1.00; longer is faster</text>`,
    ...group.results.map((result, i) => barOf(group, result, top + TITLE + i * ROW, x)),
    `  <line class="limit" x1="${x(1)}" x2="${x(1)}" y1="${top + TITLE - 6}" y2="${bottom}"/>`,
  ].join('\n');
}

function barOf(group: Group, result: Result, y: number, x: (ratio: number) => number): string {
  const { median, min, max } = ratioOf(group, result);
  const middle = y + BAR / 2;
  return [
    `  <text x="0" y="${middle + 5}">${escaped(result.name)}</text>`,
    `  <rect class="${result.own ? 'own' : 'bar'}" x="${LABELS}" y="${y}" width="${rounded(x(median) - LABELS)}" height="${BAR}" rx="2"/>`,
    `  <line class="spread" x1="${x(min)}" x2="${x(max)}" y1="${middle}" y2="${middle}"/>`,
    `  <text x="${x(max) + 8}" y="${middle + 5}">${median.toFixed(2)}</text>`,
  ].join('\n');
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
