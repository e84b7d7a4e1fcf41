import { EMPTY, field, type FormState, hasProblems, problemSummary } from '../forms.js';
import { html } from '../html.js';
import { pageOf } from '../layout.js';
import { hiddenUser } from './access.pages.js';

const LABEL = 'New password';

interface PasswordDetails {
  readonly email: string;
  readonly state?: FormState;
  readonly done?: unknown;
}

export function passwordPage({ email, state = EMPTY, done }: PasswordDetails): string {
  const main = html`<div class="narrow">
    <h1>Change your password</h1>
    <p>This signs out all your other devices: somebody who knew the old password may be among them.</p>
    ${problemSummary(state, { password: LABEL })}
    <form method="post" action="/account/password" class="card">
      ${hiddenUser(email)}
      ${field(state, {
        name: 'password',
        label: LABEL,
        type: 'password',
        autocomplete: 'new-password',
        hint: 'At least eight characters.',
        min: 8,
        max: 1000,
      })}
      <button>Change the password</button>
    </form>
  </div>`;
  const path = '/account/password';
  return pageOf({ title: 'Change your password', of: 'user', path, main, done, hasProblems: hasProblems(state) });
}
