import type { TableMetrics } from '@app/sessions';
import type { DailyCount } from '../../statistics/daily-count.entity.js';
import type { Totals } from '../../statistics/session-totals.js';
import { number, table, time } from '../elements.js';
import { type Html, html } from '../html.js';
import { pageOf } from '../layout.js';
import { chart } from '../chart.js';

interface Statistics {
  /** Missing while they are counted for the first time. */
  readonly totals: Totals | undefined;
  readonly days: readonly DailyCount[];
  /** The counters of this process. */
  readonly tables: readonly TableMetrics[];
  readonly isSignedIn: boolean;
}

export function statisticsPage({ totals, days, tables, isSignedIn }: Statistics): string {
  const main = html`<h1>Statistics</h1>
    <p>Sessions of all users. Ended sessions count until they are deleted.</p>
    ${totals ? numbers(totals) : counting}
    <h2>The last ${days.length} days</h2>
    ${chart(days)}
    <details>
      <summary>Show as a table</summary>
      ${table(
        'Sessions created and deleted, by day',
        [
          { label: 'Day', cell: ({ day }) => day },
          { label: 'Created', cell: ({ created }) => number(created) },
          { label: 'Deleted after their end', cell: ({ pruned }) => number(pruned) },
        ],
        days.toReversed(),
      )}
    </details>
    <h2>Since the server started</h2>
    ${table(
      'What this process has done, by table',
      [
        { label: 'Table', cell: ({ table: name }) => name },
        { label: 'Tokens looked up', cell: ({ counters }) => number(counters.lookUpTokens) },
        { label: 'Statements for them', cell: ({ counters }) => number(counters.lookUpStatements) },
        { label: 'Without an answer', cell: ({ counters }) => number(unanswered(counters)) },
        { label: 'Waiting now', cell: ({ gauges }) => number(gauges.lookUpsWaiting) },
        { label: 'Last uses written', cell: ({ counters }) => number(counters.lastUsesWritten) },
      ],
      tables,
    )}`;
  return pageOf({ title: 'Statistics', of: isSignedIn ? 'user' : 'visitor', path: '/statistics', main });
}

function unanswered({ lookUpsRefused, lookUpsBroken, lookUpsTimedOut }: TableMetrics['counters']): number {
  return lookUpsRefused + lookUpsBroken + lookUpsTimedOut;
}

function numbers({ total, valid, expired, revoked, at }: Totals): Html {
  const fact = (label: string, count: number): Html =>
    html`<div class="card">
      <dt>${label}</dt>
      <dd>${number(count)}</dd>
    </div>`;
  return html`<dl class="numbers">
      ${fact('Total', total)} ${fact('Valid', valid)} ${fact('Expired', expired)} ${fact('Revoked', revoked)}
    </dl>
    <p class="hint">Counted ${time(at)}.</p>`;
}

const counting = html`<p class="notice" role="status">
  The sessions are still being counted. <a href="/statistics">Reload</a>
</p>`;
