import { AsyncLocalStorage } from 'node:async_hooks';
import { TransientMap } from '../util/transient-map.js';

interface Turn {
  readonly name: string;
  /** The turn inside which this one was taken. */
  readonly outer: Turn | undefined;
  over: boolean;
}

/** Runs calls of the same name one at a time, in order of arrival. */
export class KeyedMutex {
  readonly #current = new AsyncLocalStorage<Turn>();
  /** What the next call waits for, by line and name. */
  readonly #last = new WeakMap<object, TransientMap<string, Promise<void>>>();

  /** The distinct names that the caller does not hold already, since it would otherwise wait for itself. */
  free(names: string | readonly string[]): string[] {
    return [...new Set([names].flat())].filter((name) => !this.#holds(name));
  }

  #holds(name: string): boolean {
    for (let turn = this.#current.getStore(); turn; turn = turn.outer) {
      if (turn.name === name && !turn.over) return true;
    }
    return false;
  }

  /** Runs `fn` once all earlier calls of these names in the same line are done. */
  async run<T>(names: readonly string[], fn: () => Promise<T>, line: object = this): Promise<T> {
    const [name, ...others] = names;
    if (name === undefined) return fn();
    const { before, leave } = this.#join(line, name);
    await before;
    const turn: Turn = { name, outer: this.#current.getStore(), over: false };
    try {
      return await this.#current.run(turn, () => this.run(others, fn, line));
    } finally {
      turn.over = true;
      leave();
    }
  }

  /** Runs `fn` while holding those names that nobody holds or waits for. Pass each name once. */
  async runFree<T>(names: readonly string[], fn: (taken: string[]) => Promise<T>): Promise<T> {
    const taken = names.filter((name) => !this.#last.get(this)?.has(name));
    const turns = taken.map((name) => this.#join(this, name));
    try {
      return await fn(taken);
    } finally {
      for (const { leave } of turns) leave();
    }
  }

  #join(line: object, name: string): { before: Promise<void> | undefined; leave: () => void } {
    const last = this.#last.get(line) ?? new TransientMap<string, Promise<void>>();
    this.#last.set(line, last);
    const before = last.get(name);
    let done!: () => void;
    const turn = new Promise<void>((resolve) => (done = resolve));
    last.set(name, turn);
    const leave = (): void => {
      if (last.get(name) === turn) last.delete(name);
      done();
    };
    return { before, leave };
  }
}
