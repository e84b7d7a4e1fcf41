import type { Activity } from '../../activity/activity.entity.js';
import type { Session } from '../../sessions/sessions.js';
import { table, time } from '../elements.js';
import { html } from '../html.js';
import { pageOf } from '../layout.js';
import { eventText } from '../wording.js';
import { nameOf } from './devices.page.js';

/** @param sessions the sessions of the entries, if they are not deleted yet */
export function activityPage(entries: readonly Activity[], sessions: readonly Session[]): string {
  const names = new Map(sessions.map((session) => [session.id, nameOf(session)]));
  const main = html`<h1>Activity</h1>
    <p>
      Recent activity of your sessions. Change your <a href="/account/password">password</a> if something was not you.
    </p>
    ${table(
      'Activity',
      [
        { label: 'What', cell: ({ type, reason }) => eventText(type, reason) },
        { label: 'Device', cell: ({ sessionId }) => names.get(sessionId) ?? 'a session that is gone' },
        { label: 'When', cell: ({ at }) => time(at) },
      ],
      entries,
    )}`;
  return pageOf({ title: 'Activity', of: 'user', path: '/account/activity', main });
}
