import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { LogCapture } from '../../support/log-capture.js';

interface Begun {
  readonly id: string;
  readonly authToken: string;
}

/** What a load has seen so far; sessions by their ids. */
export interface Seen {
  readonly requests: number;
  /** Sent to the database for them. */
  readonly statements: number;
  /** The sessions that a message was about. */
  readonly heard: readonly string[];
  readonly refused: readonly string[];
  /** Those that were accepted by a request that began after such a message, or after a refusal. */
  readonly stale: readonly string[];
}

export interface ProcessOptions {
  readonly databaseUrl: string;
  readonly databaseType: string;
  readonly channelUrl: string;
  readonly ttl: string;
  readonly libraryUrl: string;
}

/** Another process of an application, with a near cache of its own, and the lines that it logs. */
export class CachingProcess {
  readonly logs = new LogCapture();
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;
  readonly #asked: ((answer: unknown) => void)[] = [];

  constructor(options: ProcessOptions) {
    const env = {
      ...process.env,
      DATABASE_URL: options.databaseUrl,
      DATABASE_TYPE: options.databaseType,
      CHANNEL_URL: options.channelUrl,
      TTL: options.ttl,
      LIBRARY: options.libraryUrl,
    };
    this.#child = fork(join(import.meta.dirname, 'node.mjs'), { env, execArgv: [] });
    this.#ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`The process has ended with code ${code}.`);
    });
    this.#ended.catch(() => undefined);
    this.#child.on('message', (message) => {
      if (typeof message === 'string') this.logs.log(message);
      else this.#asked.shift()!((message as { answer: unknown }).answer);
    });
  }

  /** The `nth` line that matches, as soon as it is there. */
  async logged(pattern: RegExp | string, nth = 1): Promise<void> {
    await Promise.race([this.logs.next(pattern, nth), this.#ended]);
  }

  /** Whether a token is accepted, and how many statements that took. */
  look(token: string): Promise<{ accepted: boolean; statements: number }> {
    return this.#ask({ ask: 'look', token });
  }

  /** Begins to ask for the tokens of all of these sessions again and again. */
  load(sessions: readonly Begun[]): Promise<void> {
    return this.#ask({ ask: 'load', among: sessions.map(({ id, authToken }) => ({ id, authToken })) });
  }

  seen(): Promise<Seen> {
    return this.#ask({ ask: 'seen' });
  }

  /** Ends the load, when all that it has asked for is answered. */
  endLoad(): Promise<Seen> {
    return this.#ask({ ask: 'endLoad' });
  }

  /** Ends the process, if it has not ended, at once. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended.catch(() => undefined);
  }

  async #ask<T>(question: object): Promise<T> {
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#asked.push(resolve);
      this.#child.send(question, (error) => error && reject(error));
    });
    return (await Promise.race([answer, this.#ended])) as T;
  }
}
