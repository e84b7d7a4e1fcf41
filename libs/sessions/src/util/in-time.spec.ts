import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { inTime } from './in-time.js';

/** The answer of another thread while this one is blocked, for at least this many milliseconds. */
function answerMeanwhile(ms: number): Promise<string> {
  const isSent = new Int32Array(new SharedArrayBuffer(4));
  const code = `const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage('answer');
    Atomics.store(workerData, 0, 1);
    Atomics.notify(workerData, 0);`;
  const worker = new Worker(code, { eval: true, workerData: isSent });
  // Runs once the caller waits.
  queueMicrotask(() => {
    Atomics.wait(isSent, 0, 0);
    for (const end = performance.now() + ms; performance.now() < end;);
  });
  return new Promise((resolve) => worker.once('message', resolve));
}

describe('an answer', () => {
  it('that came while the process stood still has come in time', async () => {
    expect(await inTime(answerMeanwhile(20), () => 'late', 5)).toBe('answer');
  });

  it('that does not come is late', async () => {
    expect(await inTime(new Promise(() => {}), () => 'late', 5)).toBe('late');
  });

  it('fails as it does', async () => {
    await expect(inTime(Promise.reject(new Error('of itself')), () => undefined)).rejects.toThrow('of itself');
  });
});
