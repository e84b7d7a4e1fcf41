import { type Html, html } from './html.js';

/** What a page says of what was done just before. The address has only the name: no text of others gets into a page. */
const NOTICES = {
  'signed-up': 'Welcome! Your account is made, and you are signed in.',
  'signed-out': 'You are signed out.',
  'signed-out-everywhere': 'You are signed out everywhere, here too.',
  'device-signed-out': 'The device is signed out.',
  'others-signed-out': 'All your other devices are signed out.',
  'nothing-to-sign-out': 'That session had ended already.',
  'project-made': 'The project is made. Now it can have keys.',
  'key-revoked': 'The key is revoked, and refused from now on.',
  'key-gone': 'That key had been revoked already.',
  'password-changed': 'The password is changed, and your other devices are signed out.',
} as const;

/** The address of a page that tells what was done. */
export function after(done: keyof typeof NOTICES, path: string): { url: string } {
  return { url: `${path}?done=${done}` };
}

/** @param done the name, as it came with an address; nothing is shown for what is none */
export function notice(done: unknown): Html | false {
  const text = new Map<unknown, string>(Object.entries(NOTICES)).get(done);
  return text !== undefined && html`<p class="notice" role="status" data-passing>${text}</p>`;
}
