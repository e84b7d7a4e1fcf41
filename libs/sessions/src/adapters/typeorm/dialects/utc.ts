import type { Conversion } from '../../port/query.js';
import { FIRST_TIME, LAST_TIME } from '../../../util/times.js';

/** Stands for a later time, such as PostgreSQL's `infinity`: it is after all times that are written. */
const NEVER = LAST_TIME + 1;

/** The earliest time of a Date. */
const EARLIEST = -8.64e15;

/**
 * The time for milliseconds that were read. Invalid times, and those before all Dates, become the first time that is
 * written: what they end is over.
 */
export function timeFrom(ms: number): Date {
  return new Date(ms >= EARLIEST && ms <= LAST_TIME ? ms : ms > LAST_TIME ? NEVER : FIRST_TIME);
}

/** `2026-11-20 10:11:12.345`, in UTC. */
export function utcText(date: Date, separator = ' '): string {
  return date.toISOString().replace('T', separator).slice(0, -1);
}

/**
 * The milliseconds of such a text, with any number of fractional digits; `NaN` for any other value. Valid texts sort by
 * time, others anywhere between them. Whole-number arithmetic takes a third of the time of a general date parser.
 */
export function msFromUtcText(text: unknown, separator = SPACE): number {
  return (typeof text === 'string' ? ofParts(text, separator, utcMs) : undefined) ?? NaN;
}

/** The Date of such a text of this process's time zone, from the year 100 on; `undefined` for any other text. */
export function dateFromLocalText(text: string): Date | undefined {
  return ofParts(text, SPACE, localDate);
}

/** Makes a time from its parts. */
type Make<T> = (
  year: number,
  month: number,
  day: number,
  hours: number,
  minutes: number,
  seconds: number,
  ms: number,
) => T;

const utcMs: Make<number> = (year, month, day, hours, minutes, seconds, ms) =>
  daysSince1970(year, month, day) * 86_400_000 + ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;

// It would take earlier years for those of the 20th century.
const localDate: Make<Date | undefined> = (year, month, day, hours, minutes, seconds, ms) =>
  year < 100 ? undefined : new Date(year, month - 1, day, hours, minutes, seconds, ms);

function ofParts<T>(text: string, separator: number, make: Make<T>): T | undefined {
  if (!hasSeparators(text, separator)) return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hours = twoDigits(text, 11);
  const minutes = twoDigits(text, 14);
  const seconds = twoDigits(text, 17);
  const fraction = text.length === UTC_TEXT_LENGTH ? threeDigits(text, 20) : fractionMs(text);
  const isTime = hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds < 60;
  if (!isTime || !isDay(year, month, day) || !(fraction >= 0)) return undefined;
  return make(year, month, day, hours, minutes, seconds, fraction);
}

/** Reads the texts of {@link utcText} with this separator as times. */
export function utcTextReader(separator: number): Conversion {
  return (text) => timeFrom(msFromUtcText(text, separator));
}

/** From selected milliseconds or text, or from the text that is written. */
export const timeFromDriver: Conversion = (value) => {
  const ofText = msFromUtcText(value);
  if (!Number.isNaN(ofText)) return timeFrom(ofText);
  const ms = Number(value);
  return timeFrom(
    Number.isNaN(ms) ? Date.parse(`${String(value).replace(/Z$/, '').replace(' ', 'T')}Z`) : Math.round(ms),
  );
};

/** The characters of a text that this file writes. */
export const UTC_TEXT_LENGTH = 23;

/** The characters of one without a fraction. */
const WITHOUT_FRACTION = 19;

const HYPHEN = 45;
const SPACE = 32;
const COLON = 58;
const POINT = 46;
const ZERO = 48;

function hasSeparators(text: string, separator: number): boolean {
  return (
    text.charCodeAt(4) === HYPHEN &&
    text.charCodeAt(7) === HYPHEN &&
    text.charCodeAt(10) === separator &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    (text.length === WITHOUT_FRACTION || text.charCodeAt(WITHOUT_FRACTION) === POINT)
  );
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < 0 || month < 1 || month > 12 || day < 1) return false;
  if (day <= 28 || month !== 2) return day <= 30 + ((month + (month >> 3)) & 1);
  return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** @see https://howardhinnant.github.io/date_algorithms.html: days_from_civil, in years that begin with March */
function daysSince1970(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const leapDays = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return shifted * 365 + leapDays + dayOfYear - 719_468;
}

/** Negative for anything but digits, like the next two functions. */
export function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -10_000;
}

function threeDigits(text: string, at: number): number {
  const ones = text.charCodeAt(at + 2) - ZERO;
  return ones >= 0 && ones <= 9 ? twoDigits(text, at) * 10 + ones : -1;
}

/** The milliseconds of a fraction that does not have three digits. */
function fractionMs(text: string): number {
  if (text.length === WITHOUT_FRACTION) return 0;
  const digits = text.slice(WITHOUT_FRACTION + 1);
  return /^\d+$/.test(digits) ? Number(digits.slice(0, 3).padEnd(3, '0')) : -1;
}
