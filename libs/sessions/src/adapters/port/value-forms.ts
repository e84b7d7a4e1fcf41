import { ALL_TIMES, type TimeRange } from '../../util/times.js';

/** Text of times in UTC, such as `2026-01-01T10:11:12.345Z` in the form `YYYY-MM-DDTHH:mm:ss.SSSZ`. */
export type TimeText = `YYYY-MM-DD${' ' | 'T'}HH:mm:ss${'' | '.SSS' | '.SSSSSS'}${'' | 'Z' | '+00:00'}`;

/** How a column that has no type for times stores times: as text, or as a whole number since 1970. */
export type TimeForm = 'milliseconds' | 'seconds' | TimeText;

/** How a text column stores the digests of tokens. A column of bytes stores them as bytes. */
export type DigestForm = 'hex' | 'base64url';

const TEXTS = ['', 'Z', '+00:00'].flatMap((end) =>
  ['', '.SSS', '.SSSSSS'].flatMap((fraction) =>
    [' ', 'T'].map((separator) => `YYYY-MM-DD${separator}HH:mm:ss${fraction}${end}` as TimeText),
  ),
);

export const TIME_FORMS: readonly TimeForm[] = ['milliseconds', 'seconds', ...TEXTS];
export const DIGEST_FORMS: readonly DigestForm[] = ['hex', 'base64url'];

/** The form of digests in a binary column: hexadecimal digits as bytes, after the plain text of a key's id. */
export const DIGEST_BYTES = 'digestBytes';

export function isDigestForm(form: unknown): form is DigestForm | typeof DIGEST_BYTES {
  return form === DIGEST_BYTES || DIGEST_FORMS.some((one) => one === form);
}

/** Whether a column holds digests in a form that its definition leaves open. */
export function isAssumedDigest({ form, assumed }: { readonly form?: unknown; readonly assumed?: unknown }): boolean {
  return assumed === true && isDigestForm(form);
}

/** Whether times of a form are numbers. */
export function isCount(form: unknown): form is 'milliseconds' | 'seconds' {
  return form === 'milliseconds' || form === 'seconds';
}

export function isTimeText(form: unknown): form is TimeText {
  return TEXTS.some((text) => text === form);
}

/** The fractional digits for milliseconds. */
export const MILLISECONDS = 3;

/**
 * The range of times that a column of this form, or else of this precision, can hold; `undefined` if it can hold all.
 */
export function timesOf(form: string | undefined, precision = MILLISECONDS): TimeRange | undefined {
  const inForm = form === 'milliseconds' || form?.includes('.') ? MILLISECONDS : 0;
  const digits = form === undefined ? precision : inForm;
  return digits < MILLISECONDS ? { ...ALL_TIMES, stepMs: 10 ** (MILLISECONDS - digits) } : undefined;
}
