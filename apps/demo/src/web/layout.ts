import { urlOf } from './assets.js';
import { type Html, html } from './html.js';
import { notice } from './notices.js';

export interface Page {
  readonly title: string;
  readonly main: Html;
  /** For whom the page is: a signed-in user, a visitor, or nobody for an error page. */
  readonly of: 'user' | 'visitor' | 'nobody';
  /** Its path, for the navigation. */
  readonly path?: string;
  /** The last action, by its name in `notices.ts`, from the URL. */
  readonly done?: unknown;
  /** Whether it shows a rejected form. */
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

/** The whole document. */
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
          <p>This is a demo. <a href="/docs">Its API</a> does everything that these pages do.</p>
        </footer>
      </body>
    </html>`.toString();
}

function link(url: string, label: string, path = ''): Html {
  const here = path === url ? html`aria-current="page"` : path.startsWith(`${url}/`) && html`aria-current="true"`;
  return html`<li><a href="${url}" ${here}>${label}</a></li>`;
}

const signOut = html`<form method="post" action="/sign-out"><button class="quiet">Sign out</button></form>`;
