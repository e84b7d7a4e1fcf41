import { ratios, type Spread, spreadOf } from './statistics.js';

/** What a contender reached in one turn. */
export interface Turn {
  readonly perSecond: number;
  /** CPU time of the Node process for each validation or request. */
  readonly cpuMicroseconds: number;
}

/** A contender's turns, one for each round. */
export interface Result {
  readonly name: string;
  /** Whether it is the library's. */
  readonly own: boolean;
  readonly turns: readonly Turn[];
}

/** Contenders that had their turns in the same rounds; the first of them is the baseline. */
export interface Group {
  readonly title: string;
  /** What the ratios to the baseline are of. */
  readonly ratioOf: 'speed' | 'time';
  /** What a turn counts. */
  readonly counts: 'validations' | 'writes' | 'requests' | 'rows';
  /** What the turns took, where it is no speed that counts: shown in milliseconds. */
  readonly measures?: string;
  /** Whether the chart shows it. */
  readonly charted: boolean;
  readonly results: readonly [Result, ...Result[]];
}

/** A turn of which only the time counts. */
export function took(ms: number): Turn {
  return { perSecond: 1000 / ms, cpuMicroseconds: 0 };
}

/** What the turns took. */
export function msOf(result: Result): Spread {
  return spreadOf(result.turns.map((turn) => 1000 / turn.perSecond));
}

/** How the name of a baseline's second entry, which shows the error of measurement, ends. */
export const CONTROL = ', again (control)';

/** A result against another of the same group, as a ratio of speeds. */
export function speedAgainst(result: Result, other: Result): Spread {
  return ratios(result.turns.map(perSecond), other.turns.map(perSecond));
}

/** A result against the baseline of its group. */
export function ratioOf({ ratioOf, results: [baseline] }: Group, result: Result): Spread {
  return ratioOf === 'speed' ? speedAgainst(result, baseline) : speedAgainst(baseline, result);
}

export function perSecondOf(result: Result): number {
  return spreadOf(result.turns.map(perSecond)).median;
}

export function cpuOf(result: Result): number {
  return spreadOf(result.turns.map((turn) => turn.cpuMicroseconds)).median;
}

const perSecond = (turn: Turn): number => turn.perSecond;
