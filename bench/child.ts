import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CleanUps } from './clean-ups.js';

/** A process of the benchmark's own, which answers one question after the other. */
export class Child<Question, Answer> {
  readonly #process: ChildProcess;

  /** @param file the compiled module that the process runs, from this folder or another one */
  constructor(file: string, args: readonly string[], cleanUps: CleanUps, folder: string | URL = import.meta.url) {
    this.#process = fork(fileURLToPath(new URL(file, folder)), args);
    cleanUps.add(() => this.stop());
  }

  /** @throws Error where the process has failed, or ended */
  async ask(question: Question): Promise<Answer> {
    if (!this.#process.connected) throw new Error('The process of a contender has ended.');
    const aborter = new AbortController();
    const ended = once(this.#process, 'exit', aborter).then(() => {
      throw new Error('The process of a contender has ended.');
    });
    try {
      this.#process.send(question as object);
      const [reply] = (await Promise.race([once(this.#process, 'message', aborter), ended])) as [Reply<Answer>];
      if ('error' in reply) throw new Error(reply.error);
      return reply.answer;
    } finally {
      aborter.abort();
      await ended.catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }
}

type Reply<Answer> = { readonly answer: Answer } | { readonly error: string };

/** The child's side: answers until its parent is gone. An interrupt is the parent's to see to. */
export function answerParent(answer: (question: never) => Promise<unknown>): void {
  process.on('SIGINT', () => undefined);
  process.once('disconnect', () => process.exit());
  process.on('message', (question) => {
    answer(question as never).then(
      (given) => process.send!({ answer: given } satisfies Reply<unknown>),
      (error: unknown) => process.send!({ error: String((error as Error).stack) } satisfies Reply<unknown>),
    );
  });
}
