import { urlOf } from './assets.js';
import { type Html, html } from './html.js';
import { notice } from './notices.js';

export interface Page {
  readonly title: string;
  readonly main: Html;
  /** Whose page it is: of somebody who is signed in, of anybody, or one that tells of an error. */
  readonly of: 'user' | 'visitor' | 'nobody';
  /** Where it is, for the navigation. */
  readonly path?: string;
  /** What was done just before, by its name in `notices.ts`, as it came with the address. */
  readonly done?: unknown;
  /** Whether it is a form that was not accepted. */
  readonly hasProblems?: boolean;
}

const LINKS = {
  user: [
    ['/account/devices', 'Devices'],
    ['/account/keys', 'API keys'],
    ['/account/activity', 'Activity'],
    ['/account/password', 'Password'],
    ['/statistics', 'Statistics'],
  ],
  visitor: [
    ['/sign-in', 'Sign in'],
    ['/sign-up', 'Sign up'],
    ['/statistics', 'Statistics'],
  ],
  nobody: [['/', 'Home']],
} as const;

/** A whole document, as it is sent. */
export function pageOf(page: Page): string {
  const { title, main, of, path, done, hasProblems = false } = page;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${hasProblems && 'Error: '}${title} · nest-sessions</title>
        <link rel="icon" href="${urlOf('icon.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${urlOf('app.css')}" />
        <script src="${urlOf('app.js')}" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <a class="brand" href="/"><img src="${urlOf('icon.svg')}" alt="" width="28" height="28" />nest-sessions</a>
          <nav aria-label="Pages">
            <ul>
              ${LINKS[of].map(([url, label]) => link(url, label, path))}
            </ul>
          </nav>
          ${of === 'user' && signOut}
        </header>
        <main id="main" tabindex="-1">${notice(done)}${main}</main>
        <footer>
          <p>A demo. <a href="/docs">Its API</a> does all that these pages do.</p>
        </footer>
      </body>
    </html>`.toString();
}

function link(url: string, label: string, path = ''): Html {
  const here = path === url ? html`aria-current="page"` : path.startsWith(`${url}/`) && html`aria-current="true"`;
  return html`<li><a href="${url}" ${here}>${label}</a></li>`;
}

const signOut = html`<form method="post" action="/sign-out"><button class="quiet">Sign out</button></form>`;
