import { digestToken } from '@app/sessions';

/** What a table has of a token, by default. */
export function digestOf(token: string): string {
  return digestToken(token, { algorithm: 'sha256' });
}
