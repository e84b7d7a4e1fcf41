import type { SqlColumn } from './sql-table.js';

/** Replaces a digest, or a token stored in clear, in logs and errors. */
export const HIDDEN = '[digest]';

/** Whether the values of a column are secret: text that sessions never show. */
export function isSecret({ hidden, kind }: Pick<SqlColumn, 'hidden' | 'kind'>): boolean {
  return hidden === true && kind === 'string';
}

/** A statement's values for a log. @param secrets the positions of values to hide */
export function shownValues(values: readonly unknown[], secrets: readonly number[]): unknown[] {
  const shown = [...values];
  for (const i of secrets) shown[i] = HIDDEN;
  return shown;
}

/** The values to hide. */
export function secretsAmong(values: readonly unknown[], secrets: readonly number[]): unknown[] {
  return secrets.map((i) => values[i]);
}

/** May be a value, or part of one that was cut off. */
const LONG_WORD = /[\w+/=:.-]{10,}/g;

/** Values in messages of MySQL and MariaDB: one that is already taken, or one with bytes. */
const SHOWN_VALUES = [/(?<=Duplicate entry )'.*'(?= for key)/gs, /'[^']*\\x[^']*'/gi];

/** Text as long as a hexadecimal or base64url digest, which a trigger of the application may report. */
const DIGEST = /[\w+-]{40,}=*/g;

/** A database's message about a statement, without hidden values. */
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
