import type { SqlColumn } from './sql-table.js';

/** What logs and errors have in the place of a digest, or of a token that is stored as it is. */
export const HIDDEN = '[digest]';

/** Whether the values of a column are for nobody's eyes: text that no session shows. */
export function isSecret({ hidden, kind }: Pick<SqlColumn, 'hidden' | 'kind'>): boolean {
  return hidden === true && kind === 'string';
}

/** A statement's values, for a log. @param secrets the positions of those that are not shown */
export function shownValues(values: readonly unknown[], secrets: readonly number[]): unknown[] {
  const shown = [...values];
  for (const i of secrets) shown[i] = HIDDEN;
  return shown;
}

/** The values that are not shown. */
export function secretsAmong(values: readonly unknown[], secrets: readonly number[]): unknown[] {
  return secrets.map((i) => values[i]);
}

/** What may be a value, or a part of one that was cut off. */
const LONG_WORD = /[\w+/=:.-]{10,}/g;

/** A value that MySQL and MariaDB show: one that is taken, or one with bytes. */
const SHOWN_VALUES = [/(?<=Duplicate entry )'.*'(?= for key)/gs, /'[^']*\\x[^']*'/gi];

/** What is as long as a digest, in hexadecimal or in base64url: a trigger of the application may tell of one. */
const DIGEST = /[\w+-]{40,}=*/g;

/** What a database says of a statement, without values that are not shown. */
export function withoutSecrets(text: string, secrets: readonly unknown[]): string {
  const known = secrets.flat(2).flatMap(spellingsOf);
  const unquoted = SHOWN_VALUES.reduce((rest, value) => rest.replace(value, `'${HIDDEN}'`), text).replace(
    DIGEST,
    HIDDEN,
  );
  if (known.length === 0) return unquoted;
  return unquoted.replace(LONG_WORD, (word) => (known.some((one) => isPart(one, word)) ? HIDDEN : word));
}

function isPart(secret: string, word: string): boolean {
  return secret.includes(word) || word.includes(secret);
}

function spellingsOf(secret: unknown): string[] {
  if (typeof secret === 'string') return secret.length < 8 ? [] : [secret];
  if (!(secret instanceof Uint8Array)) return [];
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  return [hex, hex.toUpperCase(), bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('latin1')];
}
