import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { UNTIL_IT_HANGS } from './until.js';

/** Stops processes, and waits until none of their threads runs: a thread may answer once more after the signal. */
export async function hang(pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await expect.poll(async () => (await Promise.all(pids.map(runningThreads))).flat(), UNTIL_IT_HANGS).toEqual([]);
}

/** Lets them go on. */
export function goOn(pids: readonly number[]): void {
  for (const pid of pids) process.kill(pid, 'SIGCONT');
}

/** The threads of a process that are not stopped; none where the system does not tell. */
async function runningThreads(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/task`;
  const threads = await readdir(folder).catch(() => []);
  const stats = await Promise.all(threads.map((thread) => readFile(`${folder}/${thread}/stat`, 'utf8')));
  return stats.filter((stat) => !stat.includes(') T '));
}
