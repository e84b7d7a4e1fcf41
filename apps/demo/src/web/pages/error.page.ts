import { html } from '../html.js';
import { pageOf } from '../layout.js';

const TEXTS: Readonly<Record<number, readonly [title: string, text: string]>> = {
  400: [
    'That cannot be read',
    'The browser sent something that this page cannot make sense of. Go back and try again.',
  ],
  403: [
    'Not from here',
    'The request came from a page of another site, so nothing was done. Use the pages of this one.',
  ],
  404: ['Nothing here', 'There is no such page, or it is not yours.'],
  409: ['Another request was faster', 'What you wanted to change has just been changed. Look at it again.'],
  413: ['That is too much', 'The form is larger than any that this site has.'],
  429: [
    'Too many tries',
    'There were too many that were wrong, from here or for this account, so this one was not looked at. You stay signed in where you are.',
  ],
  503: [
    'Back in a moment',
    'The database cannot be reached right now. You are still signed in: wait a moment, and load the page again.',
  ],
};

/** Shorter times are not worth a line. */
const MINUTE_S = 60;

const UNEXPECTED = ['Something went wrong', 'That was not your fault. It is in the log; try again later.'] as const;

/** @param retryAfter in how many seconds it may work */
export function errorPage(status: number, retryAfter = 0): string {
  const [title, text] = TEXTS[status] ?? UNEXPECTED;
  const main = html`<h1>${title}</h1>
    <p>${text}</p>
    ${retryAfter >= MINUTE_S && html`<p>Come again in ${Math.ceil(retryAfter / MINUTE_S)} minutes.</p>`}
    <p><a class="button" href="/">To the start page</a></p>`;
  return pageOf({ title, of: 'nobody', main });
}
