import { type Html, html } from './html.js';

/** Messages about the last action. The URL has only the name, so no foreign text gets into a page. */
const NOTICES = {
  'signed-up': 'Welcome! Your account has been created, and you are signed in.',
  'signed-out': 'You are signed out.',
  'signed-out-everywhere': 'You are signed out everywhere, including here.',
  'device-signed-out': 'The device is signed out.',
  'others-signed-out': 'All your other devices are signed out.',
  'nothing-to-sign-out': 'That session had already ended.',
  'project-made': 'The project has been created. You can now create keys for it.',
  'key-revoked': 'The key has been revoked.',
  'key-gone': 'That key had already been revoked.',
  'password-changed': 'Your password has been changed, and your other devices are signed out.',
} as const;

/** The URL of a page with such a message. */
export function after(done: keyof typeof NOTICES, path: string): { url: string } {
  return { url: `${path}?done=${done}` };
}

/** @param done the name from the URL; an unknown one shows nothing */
export function notice(done: unknown): Html | false {
  const text = new Map<unknown, string>(Object.entries(NOTICES)).get(done);
  return text !== undefined && html`<p class="notice" role="status" data-passing>${text}</p>`;
}
