import Bowser from 'bowser';

const MAX_LENGTH = 60;

/** The browser, and the model or system, if its user agent names known ones; else the user agent itself. */
export function deviceName(userAgent: unknown): string {
  if (typeof userAgent !== 'string' || userAgent.trim() === '') return 'Unknown device';
  const { browser, os, platform } = Bowser.parse(userAgent);
  const device = platform.model ?? os.name;
  if (browser.name && device) return browser.name.includes(device) ? browser.name : `${browser.name} on ${device}`;
  return browser.name || device || cut(userAgent);
}

function cut(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
