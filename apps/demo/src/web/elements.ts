import { type Content, type Html, html } from './html.js';

const SECOND = 1000;
const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400 * SECOND],
  ['hour', 3600 * SECOND],
  ['minute', 60 * SECOND],
];
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const ABSOLUTE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
const NUMBER = new Intl.NumberFormat('en');

/** A relative time, with the exact one as its title. */
export function time(at: Date | null | undefined, otherwise = 'never'): Html {
  if (!at) return html`${otherwise}`;
  const exact = `${ABSOLUTE.format(at)} UTC`;
  return html`<time datetime="${at.toISOString()}" title="${exact}">${relative(at.getTime() - Date.now())}</time>`;
}

function relative(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(ms) >= size) ?? [];
  return unit === undefined ? 'just now' : RELATIVE.format(Math.round(ms / size!), unit);
}

export const number = (value: number): string => NUMBER.format(value);

export interface Column<T> {
  readonly label: string;
  readonly cell: (row: T) => Content;
  /** Whether only screen readers need its label. */
  readonly isObvious?: boolean;
}

/** A table, whose rows become cards on narrow screens. The first column names the row. */
export function table<T>(caption: string, columns: readonly Column<T>[], rows: readonly T[]): Html {
  // The style sheet changes how tables are displayed, after which some browsers no longer know them for tables by themselves.
  return html`<table role="table">
    <caption class="unseen">
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(
          ({ label, isObvious }) =>
            html`<th role="columnheader" scope="col">
              ${isObvious ? html`<span class="unseen">${label}</span>` : label}
            </th>`,
        )}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr role="row">
            ${columns.map((column, i) => cell(column, i, row))}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function cell<T>({ label, cell, isObvious }: Column<T>, index: number, row: T): Html {
  if (index === 0) return html`<th role="rowheader" scope="row">${cell(row)}</th>`;
  return html`<td role="cell" ${!isObvious && html`data-label="${label}"`}><div>${cell(row)}</div></td>`;
}

/** A form that is one button. What is done to which thing is read out, though only the first is seen. */
export function button(action: string, label: string, { of, kind }: { of?: string; kind?: string } = {}): Html {
  return html`<form method="post" action="${action}">
    <button ${kind && html`class="${kind}"`}>${label}${of && html`<span class="unseen"> ${of}</span>`}</button>
  </form>`;
}

/** What is better not done by accident: the button is shown when it is asked for. */
export function guarded(label: string, explanation: string, action: Html, of?: string): Html {
  return html`<details class="guarded">
    <summary>${label}${of && html`<span class="unseen"> ${of}</span>`}</summary>
    <div>
      <p>${explanation}</p>
      ${action}
    </div>
  </details>`;
}

/** Which part of a long list is shown. */
export interface Part {
  readonly page: number;
  readonly pages: number;
  readonly skip: number;
  readonly take: number;
}

const PER_PAGE = 20;

/** @param asked the number of the page, as it came with the address; the nearest one is shown for what is none */
export function partOf(total: number, asked: unknown): Part {
  const pages = Math.max(1, Math.ceil(total / PER_PAGE));
  const page = Math.min(Math.max(1, Math.trunc(Number(asked)) || 1), pages);
  return { page, pages, skip: (page - 1) * PER_PAGE, take: PER_PAGE };
}

/** Links to the previous and the next page; nothing if there is only one. */
export function pager({ page, pages }: Part, path: string, query: Readonly<Record<string, string>> = {}): Html | false {
  if (pages === 1) return false;
  const to = (other: number, label: string, rel: string): Html => {
    if (other < 1 || other > pages) return html`<span class="off">${label}</span>`;
    return html`<a href="${path}?${new URLSearchParams({ ...query, page: String(other) }).toString()}" rel="${rel}"
      >${label}</a
    >`;
  };
  return html`<nav class="pager" aria-label="Parts of the list">
    ${to(page - 1, 'Newer', 'prev')}
    <span>Page ${number(page)} of ${number(pages)}</span>
    ${to(page + 1, 'Older', 'next')}
  </nav>`;
}
