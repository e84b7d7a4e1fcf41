import { EMPTY, field, type FormState, hasProblems, problemSummary } from '../forms.js';
import { html } from '../html.js';
import { pageOf } from '../layout.js';
import { EMAIL, hiddenUser, LABELS, PASSWORD } from './access.pages.js';

export function signUpPage(state: FormState = EMPTY): string {
  const main = html`<div class="narrow">
    <h1>Sign up</h1>
    ${problemSummary(state, LABELS)}
    <form method="post" action="/sign-up" class="card">
      ${field(state, EMAIL)}
      <button>Sign up</button>
    </form>
    <p>Already have an account? <a href="/sign-in">Sign in</a></p>
  </div>`;
  return pageOf({ title: 'Sign up', of: 'visitor', path: '/sign-up', main, hasProblems: hasProblems(state) });
}

/** The same page whether or not the address is known. */
export function sentPage(): string {
  const main = html`<div class="narrow">
    <h1>Check your mail</h1>
    <p>We have sent a link to this address. It is valid for an hour.</p>
    <p>The demo sends no mail. In development, its <a href="/dev/outbox">outbox</a> shows what it would send.</p>
  </div>`;
  return pageOf({ title: 'Check your mail', of: 'visitor', main });
}

export function finishPage(email: string, token: string, state: FormState = EMPTY): string {
  const password = { ...PASSWORD, autocomplete: 'new-password', hint: 'At least eight characters.', min: 8, max: 1000 };
  const main = html`<div class="narrow">
    <h1>Choose a password</h1>
    <p>This creates the account for ${email}.</p>
    ${problemSummary(state, LABELS)}
    <form method="post" action="/sign-up/finish" class="card">
      <input type="hidden" name="token" value="${token}" />
      ${hiddenUser(email)} ${field(state, password)}
      <button>Create the account</button>
    </form>
  </div>`;
  return pageOf({ title: 'Choose a password', of: 'visitor', main, hasProblems: hasProblems(state) });
}

export function deadLinkPage(): string {
  const main = html`<div class="narrow">
    <h1>This link does not work</h1>
    <p>
      It has been used, has expired, or its address already has an account. <a href="/sign-in">Sign in</a>, or
      <a href="/sign-up">sign up</a> again.
    </p>
  </div>`;
  return pageOf({ title: 'This link does not work', of: 'visitor', main });
}
