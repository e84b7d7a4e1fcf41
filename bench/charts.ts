import { peer } from './peers.js';
import { type Group, ratioOf } from './results.js';

const NAMES = 370;
const BARS = 480;
const ROW = 22;

const FONT = 'system-ui, sans-serif';
const [TEXT, NOTE, GRID, OWN, OTHER] = ['text', 'note', 'grid', 'own', 'other'].map((name) => `var(--${name})`);

/** GitHub's colours, by day and by night. */
const STYLE = `<style>
  svg { --text: #1f2328; --note: #59636e; --grid: #d0d7de; --own: #2563c9; --other: #9aa4b0; }
  @media (prefers-color-scheme: dark) {
    svg { --text: #e6edf3; --note: #9198a1; --grid: #30363d; --own: #4c8dff; --other: #59636e; }
  }
</style>`;

const CONFIG = {
  background: 'transparent',
  view: { stroke: null },
  // The description of the whole is enough.
  mark: { aria: false },
  text: { font: FONT, fontSize: 13, color: TEXT },
  title: { font: FONT, fontSize: 14, fontWeight: 600, color: TEXT, subtitleFont: FONT, subtitleColor: NOTE },
  axis: {
    aria: false,
    labelFont: FONT,
    labelFontSize: 13,
    labelColor: TEXT,
    labelLimit: 0,
    domain: false,
    ticks: false,
    title: null,
  },
};

const color = {
  field: 'own',
  type: 'nominal',
  scale: { domain: [true, false], range: [OWN, OTHER] },
  legend: null,
};

/** The ratios of all groups to their baselines as horizontal bars, with their spread. */
export async function barsOf(groups: readonly Group[]): Promise<string> {
  return svgOf({
    description: `Speed against the baseline of each group: ${groups.map(({ title }) => title).join('; ')}`,
    spacing: 24,
    vconcat: groups.map((group) => ({
      title: {
        text: group.title,
        subtitle: `${group.results[0].name} = 1.00; longer is faster`,
        anchor: 'start',
        offset: 8,
      },
      width: BARS,
      height: { step: ROW },
      data: { values: pointsOf(group) },
      encoding: {
        y: { field: 'name', type: 'nominal', sort: null, axis: { labelAlign: 'left', labelPadding: NAMES } },
      },
      layer: [
        {
          mark: { type: 'bar', height: 14, cornerRadius: 2 },
          encoding: { x: { field: 'median', type: 'quantitative', axis: null }, color },
        },
        {
          mark: { type: 'rule', color: TEXT, strokeWidth: 1.5 },
          encoding: { x: { field: 'min', type: 'quantitative' }, x2: { field: 'max' } },
        },
        {
          mark: { type: 'text', align: 'left', dx: 8 },
          encoding: { x: { field: 'max', type: 'quantitative' }, text: { field: 'median', format: '.2f' } },
        },
        {
          data: { values: [{}] },
          mark: { type: 'rule', color: NOTE, strokeDash: [3, 3] },
          encoding: { x: { datum: 1 }, y: null },
        },
      ],
    })),
    resolve: { scale: { x: 'independent', y: 'independent' } },
  });
}

/** How the time of a lookup grows with its table: a line for each group, through the medians, with their spread. */
export async function linesOf(groups: readonly Group[]): Promise<string> {
  const lines = groups.map((group) => ({ ...group, title: group.title.replace(/^Growth: /, '') }));
  return svgOf({
    description: 'How the time of a lookup grows with the rows of its table',
    title: { text: 'Time of a lookup, against that in the smallest table', anchor: 'start', offset: 12 },
    width: 560,
    height: 260,
    data: { values: lines.flatMap((group) => pointsOf(group)) },
    encoding: {
      x: {
        field: 'name',
        type: 'ordinal',
        sort: null,
        scale: { type: 'point', padding: 0.2 },
        axis: { labelAngle: 0, labelColor: NOTE, labelPadding: 8 },
      },
      color: {
        field: 'group',
        type: 'nominal',
        sort: null,
        scale: { range: lines.map(({ results: [{ own }] }) => (own ? OWN : OTHER)) },
        legend: {
          title: null,
          labelFont: FONT,
          labelFontSize: 13,
          labelColor: TEXT,
          labelLimit: 0,
          symbolType: 'stroke',
        },
      },
      strokeDash: { field: 'group', type: 'nominal', sort: null, scale: { range: dashesOf(lines) } },
    },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 2 },
        encoding: {
          y: {
            field: 'median',
            type: 'quantitative',
            scale: { domainMin: 0 },
            axis: { format: '.1f', tickCount: 5, gridColor: GRID, labelColor: NOTE },
          },
        },
      },
      {
        mark: { type: 'rule', strokeWidth: 1 },
        encoding: { y: { field: 'min', type: 'quantitative' }, y2: { field: 'max' } },
      },
    ],
  });
}

/** Lines of one colour differ in their dashes. */
function dashesOf(groups: readonly Group[]): number[][] {
  const seen = { own: 0, other: 0 };
  return groups.map(({ results: [{ own }] }) => (seen[own ? 'own' : 'other']++ === 0 ? [1, 0] : [6, 3]));
}

function pointsOf(group: Group): object[] {
  return group.results.map((result) => ({
    group: group.title,
    name: result.name,
    own: result.own,
    ...ratioOf(group, result),
  }));
}

/** The picture of a chart that is described in Vega-Lite. */
async function svgOf(spec: object): Promise<string> {
  const { compile } = await peer('vega-lite');
  const { parse, View } = await peer('vega');
  const svg = await new View(parse(compile({ ...spec, config: CONFIG }).spec), { renderer: 'none' }).toSVG();
  return `${svg.replace(/<svg[^>]*>/, (tag) => `${tag}${STYLE}`)}\n`;
}
