import { setImmediate } from 'node:timers/promises';
import type { MaybePromise } from './maybe-promise.js';

/** How long work may hold the event loop, in milliseconds. */
const HOLD_MS = 10;
/** Looking at the clock costs as much as a few steps do. */
const STEPS = 16;

/** Long work in steps, between which the event loop has its turn. */
export class Pace {
  #steps = 0;
  #since = performance.now();

  /** Whether the next step has to wait for {@link turn}. */
  get isDue(): boolean {
    return ++this.#steps % STEPS === 0 && performance.now() - this.#since > HOLD_MS;
  }

  async turn(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }

  /** The same in {@link Paced} work. */
  *pause(): Paced<void> {
    yield;
    this.#since = performance.now();
  }
}

/** Work that stops where the event loop is to have its turn. */
export type Paced<T> = Generator<undefined, T, undefined>;

/** What comes of work: at once, unless it has to wait for the event loop. */
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

/** Items that are sorted at once: it takes some milliseconds. */
const RUN = 4096;

/** The same as `items.sort(compare)`, which is stable, in steps. */
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
