import type { Session } from '../../sessions/sessions.js';
import { statusOf } from '../../sessions/status.js';
import { deviceName } from '../device-name.js';
import { button, type Column, guarded, number, pager, type Part, table, time } from '../elements.js';
import { type Html, html } from '../html.js';
import { pageOf } from '../layout.js';
import { reasonText } from '../wording.js';

const PATH = '/account/devices';

interface Devices {
  readonly email: string;
  readonly current: Session;
  /** Other sessions: either the valid or the ended ones. */
  readonly sessions: readonly Session[];
  readonly show: 'valid' | 'ended';
  readonly counts: { readonly valid: number; readonly ended: number };
  readonly part: Part;
  readonly done: unknown;
}

export function devicesPage({ email, current, sessions, show, counts, part, done }: Devices): string {
  const main = html`<h1>Your devices</h1>
    <p>Signed in as <strong>${email}</strong>.</p>
    ${thisDevice(current)}
    <h2>Other devices</h2>
    ${tabs(show, counts)}
    ${
      sessions.length === 0
        ? html`<p class="empty">
            ${show === 'valid' ? 'You are not signed in anywhere else.' : 'No session has ended recently.'}
          </p>`
        : table('Other devices', show === 'valid' ? VALID : ENDED, sessions)
    }
    ${pager(part, PATH, show === 'ended' ? { show } : {})} ${show === 'valid' && signOuts(counts.valid)}
    <div data-events="${PATH}/events" hidden></div>`;
  return pageOf({ title: 'Your devices', of: 'user', path: PATH, main, done });
}

function thisDevice(session: Session): Html {
  return html`<section class="card" aria-labelledby="this-device">
    <h2 id="this-device">${nameOf(session)} <span class="badge">This device</span></h2>
    <dl class="facts">
      <div>
        <dt>Signed in</dt>
        <dd>${time(session.createdAt)}</dd>
      </div>
      <div>
        <dt>Password confirmed</dt>
        <dd>${time(session.authenticatedAt ?? session.createdAt)}</dd>
      </div>
      <div>
        <dt>IP address</dt>
        <dd>${session.lastUsedIp ?? 'not known yet'}</dd>
      </div>
      <div>
        <dt>Expires</dt>
        <dd>${time(session.expiresAt)}</dd>
      </div>
    </dl>
  </section>`;
}

function tabs(show: Devices['show'], { valid, ended }: Devices['counts']): Html {
  const tab = (url: string, label: string, count: number, isShown: boolean): Html =>
    html`<li>
      <a href="${url}" ${isShown && html`aria-current="page"`}>${label} <span class="count">${number(count)}</span></a>
    </li>`;
  return html`<nav class="tabs" aria-label="Which devices">
    <ul>
      ${tab(PATH, 'Signed in', valid, show === 'valid')} ${tab(`${PATH}?show=ended`, 'Ended', ended, show === 'ended')}
    </ul>
  </nav>`;
}

function signOuts(others: number): Html {
  return html`<div class="actions">
    ${others > 0 && button(`${PATH}/sign-out-others`, 'Sign out all other devices')}
    ${guarded(
      'Sign out everywhere…',
      'This ends all your sessions, including the one on this device.',
      button(`${PATH}/sign-out-everywhere`, 'Sign out everywhere', { kind: 'danger' }),
    )}
  </div>`;
}

const NAME: Column<Session> = { label: 'Device', cell: nameOf };
const IP: Column<Session> = { label: 'IP address', cell: ({ lastUsedIp }) => lastUsedIp ?? '–' };
const LAST_USED: Column<Session> = { label: 'Last used', cell: ({ lastUsedAt }) => time(lastUsedAt, 'not yet') };
const CREATED: Column<Session> = { label: 'Signed in', cell: ({ createdAt }) => time(createdAt) };

const VALID: readonly Column<Session>[] = [
  NAME,
  LAST_USED,
  IP,
  CREATED,
  { label: 'Expires', cell: ({ expiresAt }) => time(expiresAt) },
  {
    label: 'Action',
    isObvious: true,
    cell: (session) => button(`${PATH}/${session.id}/sign-out`, 'Sign out', { of: nameOf(session), kind: 'quiet' }),
  },
];

const ENDED: readonly Column<Session>[] = [NAME, LAST_USED, IP, CREATED, { label: 'Ended', cell: endOf }];

function endOf(session: Session): Html {
  const { status, reason } = statusOf(session);
  return status === 'revoked'
    ? html`${time(session.revokedAt)}: ${reasonText(reason ?? status)}`
    : html`${time(session.expiresAt)}: expired`;
}

/** By the last user agent, since a browser may be updated during a session. */
export function nameOf({ lastUsedUserAgent, data }: Pick<Session, 'lastUsedUserAgent' | 'data'>): string {
  return deviceName(lastUsedUserAgent ?? data['userAgent']);
}
