import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A file that pages need, ready to send. */
export interface Asset {
  readonly type: string;
  readonly content: string;
  /** Its URL, which changes with its content, so that browsers may cache it. */
  readonly url: string;
}

const TYPES = {
  'app.css': 'text/css; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;

/** The files in `assets`, by name. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map(
  Object.entries(TYPES).map(([name, type]) => {
    const content = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8');
    const version = createHash('sha256').update(content).digest('base64url').slice(0, 12);
    return [name, { type, content, url: `/assets/${name}?v=${version}` }];
  }),
);

export function urlOf(name: keyof typeof TYPES): string {
  return ASSETS.get(name)!.url;
}
