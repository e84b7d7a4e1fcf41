import type { Mail } from '../../mail/mailer.js';
import { html } from '../html.js';
import { pageOf } from '../layout.js';

/** Messages, newest first. */
export function outboxPage(mails: readonly Mail[]): string {
  const main = html`<h1>Outbox</h1>
    <p>Mail that the demo would send. It is shown only in development.</p>
    ${mails.map(
      ({ to, subject, text, link }) =>
        html`<article class="card">
          <h2>${subject}</h2>
          <p>To ${to}</p>
          <p>${text} <a href="${link}">${link}</a></p>
        </article>`,
    )}
    ${mails.length === 0 && html`<p>There is nothing yet.</p>`}`;
  return pageOf({ title: 'Outbox', of: 'visitor', main });
}
