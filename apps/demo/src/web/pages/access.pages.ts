import { EMPTY, field, type FormState, hasProblems, problemSummary } from '../forms.js';
import { type Html, html } from '../html.js';
import { pageOf } from '../layout.js';

export const LABELS = { email: 'E-mail address', password: 'Password' };
export const EMAIL = { name: 'email', label: LABELS.email, type: 'email', autocomplete: 'username', max: 254 } as const;
export const PASSWORD = { name: 'password', label: LABELS.password, type: 'password' } as const;

/** The data of an access page besides its form. */
export interface AccessDetails {
  /** Where to go afterwards. */
  readonly next: string;
  readonly state?: FormState;
  readonly done?: unknown;
  /** Why the user has to sign in again, by a name below, from the URL. */
  readonly why?: unknown;
}

export type Why = 'ended' | 'lost';

const REASONS: Readonly<Record<Why, Html>> = {
  ended: html`<p><strong>This session was ended.</strong></p>
    <p>
      You signed it out from another device, changed your password, or did not use it for a long time. Sign in to
      continue.
    </p>`,
  lost: html`<p><strong>Your browser did not keep the cookie</strong> that identifies it.</p>
    <p>
      Some browsers keep it only over HTTPS. Use HTTPS. To try the demo without HTTPS, start it with
      <code>DEMO_INSECURE_COOKIE=true</code>.
    </p>`,
};
const WHY = new Map<unknown, Html>(
  Object.entries(REASONS).map(([why, text]) => [why, html`<div class="notice" role="status">${text}</div>`]),
);

export function signInPage({ next, state = EMPTY, done, why }: AccessDetails): string {
  const main = html`<div class="narrow">
    <h1>Sign in</h1>
    ${WHY.get(why)} ${problemSummary(state, LABELS)}
    <form method="post" action="/sign-in" class="card">
      ${hiddenNext(next)} ${field(state, EMAIL)} ${field(state, { ...PASSWORD, autocomplete: 'current-password' })}
      <button>Sign in</button>
    </form>
    <p>No account yet? <a href="/sign-up">Sign up</a></p>
  </div>`;
  return pageOf({ title: 'Sign in', of: 'visitor', path: '/sign-in', main, done, hasProblems: hasProblems(state) });
}

/** For actions that only the owner may take: somebody else may use the device by now. */
export function confirmPage({ next, state = EMPTY }: AccessDetails, email: string): string {
  const main = html`<div class="narrow">
    <h1>Confirm your password</h1>
    <p>You signed in a while ago. Before you go on, show that it is still you.</p>
    ${problemSummary(state, LABELS)}
    <form method="post" action="/account/confirm" class="card">
      ${hiddenNext(next)} ${hiddenUser(email)} ${field(state, { ...PASSWORD, autocomplete: 'current-password' })}
      <button>Confirm</button>
    </form>
  </div>`;
  return pageOf({ title: 'Confirm your password', of: 'user', main, hasProblems: hasProblems(state) });
}

/** Tells password managers which account it is. */
export function hiddenUser(email: string): Html {
  return html`<input type="text" name="username" autocomplete="username" value="${email}" hidden readonly />`;
}

function hiddenNext(next: string): Html {
  return html`<input type="hidden" name="next" value="${next}" />`;
}
