import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where the system has a Chromium; `CHROMIUM_PATH` names another one. */
export const CHROMIUM = process.env['CHROMIUM_PATH'] ?? PLACES.find((path) => existsSync(path));

if (CHROMIUM === undefined) {
  const reason = `the demo in a browser needs a Chromium at one of ${PLACES.join(', ')}, or at CHROMIUM_PATH`;
  if (process.env['CI']) throw new Error(`CI skips nothing, and ${reason}.`);
  console.log(`SKIPPED: ${reason}.`);
}

/** A browser that speaks to nobody but the pages that a test opens. */
export async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    // Root, whom containers run as, has no sandbox.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** What Chromium itself writes of a document that is no 200, which is no fault of a page. */
const OF_CHROMIUM = /^Failed to load resource: the server responded with a status of 4\d\d/;

/** Errors of a page, as its console has them. */
export function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !OF_CHROMIUM.test(message.text())) errors.push(message.text());
  });
  return errors;
}
