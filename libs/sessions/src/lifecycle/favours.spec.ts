import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Favours, waits } from './favours.js';
import { LAST_USE, noAnswerWithin, notWritten } from './messages.js';

const { answerMs } = waits;
beforeEach(() => {
  waits.answerMs = 1000;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  waits.answerMs = answerMs;
  vi.useRealTimers();
});

/** A write to be made, and what the log says about it. */
function begun() {
  const warnings: string[] = [];
  const favours = new Favours(
    () => Date.now(),
    (warning) => warnings.push(warning),
  );
  let answer!: (text: string) => void;
  const written = new Promise<string>((resolve) => (answer = resolve));
  return { favours, warnings, answer, result: favours.inTime(LAST_USE, written) };
}

it('what is answered while the process stands still counts as written', async () => {
  const { favours, warnings, answer, result } = begun();
  vi.advanceTimersByTime(60_000);
  answer('written');
  expect([await result, favours.possible, warnings]).toEqual(['written', true, []]);
});

it('where an answer is late nobody waits for it, and nothing is tried until it comes', async () => {
  const { favours, warnings, answer, result } = begun();
  vi.advanceTimersByTime(1000);
  expect([await result, favours.possible]).toEqual([undefined, false]);
  expect(warnings).toEqual([notWritten(LAST_USE, noAnswerWithin(1000))]);
  answer('written');
  await vi.waitFor(() => expect(favours.possible).toBe(true));
});
