import { html } from '../html.js';
import { pageOf } from '../layout.js';

const TEXTS: Readonly<Record<number, readonly [title: string, text: string]>> = {
  400: ['Invalid request', 'The browser sent something that this page cannot read. Go back and try again.'],
  403: [
    'Request from another site',
    'The request came from a page of another site, so it was refused. Use the pages of this site.',
  ],
  404: ['Page not found', 'This page does not exist, or it is not yours.'],
  409: ['Another request came first', 'What you wanted to change has just been changed. Check it, and try again.'],
  413: ['Request too large', 'The form is larger than this site accepts.'],
  429: [
    'Too many attempts',
    'There were too many wrong attempts from your address or for this account, so this one was not checked. Your existing sessions stay signed in.',
  ],
  503: [
    'Back in a moment',
    'The database cannot be reached right now. You are still signed in. Wait a moment, then reload the page.',
  ],
};

/** Shorter times are not shown. */
const MINUTE_S = 60;

const UNEXPECTED = [
  'Something went wrong',
  'This was not your fault. The error has been logged. Try again later.',
] as const;

/** @param retryAfter the seconds until a retry may work */
export function errorPage(status: number, retryAfter = 0): string {
  const [title, text] = TEXTS[status] ?? UNEXPECTED;
  const main = html`<h1>${title}</h1>
    <p>${text}</p>
    ${retryAfter >= MINUTE_S && html`<p>Try again in ${Math.ceil(retryAfter / MINUTE_S)} minutes.</p>`}
    <p><a class="button" href="/">Go to the start page</a></p>`;
  return pageOf({ title, of: 'nobody', main });
}
