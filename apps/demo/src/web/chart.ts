import type { DailyCount } from '../statistics/daily-count.entity.js';
import { number } from './elements.js';
import { type Html, html } from './html.js';

/** Units of the drawing. It is stretched to the available width, so it contains no text. */
const DAY = 10;
const HEIGHT = 100;
const BAR = 4;

/** Two bars per day: created sessions, and sessions deleted after their end. */
export function chart(days: readonly DailyCount[]): Html {
  const top = Math.max(1, ...days.flatMap(({ created, pruned }) => [created, pruned]));
  const sum = (pick: (day: DailyCount) => number): string =>
    number(days.map(pick).reduce((total, count) => total + count, 0));
  const [first, last] = [days[0]!.day, days.at(-1)!.day];
  const summary = `From ${first} to ${last}, ${sum(({ created }) => created)} sessions were created and ${sum(({ pruned }) => pruned)} deleted after their end. The most on one day were ${number(top)}.`;
  return html`<figure class="chart card">
    <p class="hint" aria-hidden="true">${number(top)}</p>
    <svg viewBox="0 0 ${days.length * DAY} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${summary}">
      ${[0, HEIGHT / 2, HEIGHT].map((y) => html`<path class="grid" d="M0 ${y}H${days.length * DAY}" />`)}
      ${days.map(
        ({ day, created, pruned }, i) =>
          html`<g>
            <title>${day}: ${number(created)} created, ${number(pruned)} deleted</title>
            ${bar('created', i * DAY + 1, created / top)} ${bar('pruned', i * DAY + 1 + BAR, pruned / top)}
          </g>`,
      )}
    </svg>
    <p class="hint axis" aria-hidden="true"><span>${first}</span><span>${last}</span></p>
    <figcaption><span class="created">Created</span> <span class="pruned">Deleted after their end</span></figcaption>
  </figure>`;
}

function bar(kind: 'created' | 'pruned', x: number, share: number): Html {
  const height = Math.round(share * HEIGHT * 100) / 100;
  return html`<rect class="${kind}" x="${x}" y="${HEIGHT - height}" width="${BAR}" height="${height}" />`;
}
