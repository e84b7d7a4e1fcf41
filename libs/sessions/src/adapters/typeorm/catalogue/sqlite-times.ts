import { type TimeForm, type TimeText } from '../../port/value-forms.js';
import type { Ask, QuotedColumns } from './catalogue.js';

/** The most rows of a table to sample. */
const ROWS = 100;

/** In milliseconds a time of 1973, in seconds one of 5138. */
const LEAST_MILLISECONDS = 1e11;
/** Smaller numbers prove nothing: they may be 0. */
const LEAST_SECONDS = 1e8;

const TEXT = /^\d{4}-\d\d-\d\d([ T])\d\d:\d\d(?::\d\d(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?$/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/** The sampled values as text; numbers are prefixed with their type. */
const SAMPLE = (column: string): string =>
  `json_group_array(DISTINCT CASE typeof(${column}) WHEN 'text' THEN ${column} WHEN 'integer' THEN '#' || ${column} WHEN 'real' THEN '#' || ${column} END)`;

type Found = TimeForm | 'unknown' | undefined;

/** A sampled value: a number of seconds or milliseconds, or a text with its parts; `undefined`: not a time. */
type Sample = { readonly family: string; readonly digits: number } | undefined;

/** How existing rows hold their times. */
export async function timesInRows(ask: Ask, tables: readonly QuotedColumns[]): Promise<readonly (readonly Found[])[]> {
  const asked = tables.flatMap(({ path, columns }, at) =>
    columns.length === 0
      ? []
      : `SELECT ${at} AS at, json_array(${columns.map((column) => `json(${SAMPLE(column)})`).join(', ')}) AS samples FROM (SELECT ${columns.join(', ')} FROM ${path} LIMIT ${ROWS})`,
  );
  const rows = asked.length === 0 ? [] : await ask<{ at: number; samples: string }>(asked.join(' UNION ALL '), []);
  const found = new Map((rows ?? []).map(({ at, samples }) => [at, JSON.parse(samples) as (string | null)[][]]));
  return tables.map((_table, at) => formsOf(found.get(at) ?? []));
}

/** The forms of one table's columns. A column without any time gets the form of the others, if they have one. */
export function formsOf(columns: readonly (readonly (string | null)[])[]): Found[] {
  const samples = columns.map((values) => values.flatMap((value) => (value === null ? [] : (sampleOf(value) ?? []))));
  const all = samples.flat();
  const forms = samples.map((own) => formOf(own, all));
  const common = new Set(forms.filter((form) => form !== undefined));
  const [other] = common.size === 1 ? common : [];
  return forms.map((form) => form ?? (other === 'unknown' ? undefined : other));
}

function sampleOf(value: string): Sample {
  if (value.startsWith('#')) {
    const number = Math.abs(Number(value.slice(1)));
    if (!(number >= LEAST_SECONDS)) return undefined;
    return { family: number >= LEAST_MILLISECONDS ? 'milliseconds' : 'seconds', digits: 0 };
  }
  const [text, separator, fraction = '', end = ''] = TEXT.exec(value) ?? [];
  if (text) return { family: `YYYY-MM-DD${separator} ${end}`, digits: fraction.length };
  return NUMBER.test(value) ? { family: 'number as text', digits: 0 } : undefined;
}

function formOf(own: readonly NonNullable<Sample>[], all: readonly NonNullable<Sample>[]): Found {
  const [first, ...others] = own;
  if (!first) return undefined;
  const { family } = first;
  if (others.some((sample) => sample.family !== family)) return 'unknown';
  if (family === 'milliseconds' || family === 'seconds') return family;
  const [, separator, end] = /^YYYY-MM-DD([ T]) (Z|\+00:00|)$/.exec(family) ?? [];
  if (separator === undefined || end === undefined) return 'unknown';
  // Whole seconds may occur among other values. Without a suffix, that does not change their order.
  const digits = new Set(
    (end === '' ? all.filter((sample) => sample.family === family) : own).map((sample) => sample.digits),
  );
  if (end !== '' && digits.size > 1) return 'unknown';
  const fraction = digits.size === 1 && digits.has(0) ? '' : digits.size === 1 && digits.has(6) ? '.SSSSSS' : '.SSS';
  if (end !== '' && ![0, 3, 6].some((count) => digits.has(count))) return 'unknown';
  return `YYYY-MM-DD${separator}HH:mm:ss${fraction}${end}` as TimeText;
}
