import { setImmediate } from 'node:timers/promises';
import type { MaybePromise } from './maybe-promise.js';

/** How long work may block the event loop, in milliseconds. */
const HOLD_MS = 10;
/** Reading the clock costs as much as a few steps. */
const STEPS = 16;

/** Runs long work in steps, and yields to the event loop in between. */
export class Pace {
  #steps = 0;
  #since = performance.now();

  /** Whether the next step must wait for {@link turn}. */
  get isDue(): boolean {
    return ++this.#steps % STEPS === 0 && performance.now() - this.#since > HOLD_MS;
  }

  async turn(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }

  /** The same inside {@link Paced} work. */
  *pause(): Paced<void> {
    yield;
    this.#since = performance.now();
  }
}

/** Work that pauses when the event loop needs a turn. */
export type Paced<T> = Generator<undefined, T, undefined>;

/** Runs work: synchronously, unless it has to yield to the event loop. */
export function atPace<T>(work: (pace: Pace) => Paced<T>): MaybePromise<T> {
  const steps = work(new Pace());
  const { done, value } = steps.next();
  return done ? value : goOn(steps);
}

async function goOn<T>(steps: Paced<T>): Promise<T> {
  for (;;) {
    await setImmediate();
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The items that are sorted in one go, which takes a few milliseconds. */
const RUN = 4096;

/** Like `items.sort(compare)`, which is stable, but in steps. */
export function* sorted<T>(items: T[], compare: (a: T, b: T) => number, pace: Pace): Paced<T[]> {
  let runs: T[][] = [];
  if (items.length <= RUN) return items.sort(compare);
  for (let start = 0; start < items.length; start += RUN) {
    runs.push(items.slice(start, start + RUN).sort(compare));
    yield* pace.pause();
  }
  while (runs.length > 1) {
    const longer: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) longer.push(yield* merged(runs[i]!, runs[i + 1] ?? [], compare, pace));
    runs = longer;
  }
  return runs[0]!;
}

function* merged<T>(
  first: readonly T[],
  second: readonly T[],
  compare: (a: T, b: T) => number,
  pace: Pace,
): Paced<T[]> {
  const all: T[] = [];
  for (let [i, j] = [0, 0]; i < first.length || j < second.length;) {
    if (pace.isDue) yield* pace.pause();
    const isFirst = j === second.length || (i < first.length && compare(first[i]!, second[j]!) <= 0);
    all.push(isFirst ? first[i++]! : second[j++]!);
  }
  return all;
}
