import { AsyncLocalStorage } from 'node:async_hooks';

interface Turn {
  readonly name: string;
  /** The turn in which this one was taken. */
  readonly outer: Turn | undefined;
  over: boolean;
}

/** Calls of the same name, one at a time, in the order in which they came. */
export class KeyedMutex {
  readonly #current = new AsyncLocalStorage<Turn>();
  /** By line and name, what the next call waits for. */
  readonly #last = new WeakMap<object, Map<string, Promise<void>>>();

  /** The names, each once, of which the caller is not inside a turn already, and so would wait for itself. */
  free(names: string | readonly string[]): string[] {
    return [...new Set([names].flat())].filter((name) => !this.#holds(name));
  }

  #holds(name: string): boolean {
    for (let turn = this.#current.getStore(); turn; turn = turn.outer) {
      if (turn.name === name && !turn.over) return true;
    }
    return false;
  }

  /** Runs `fn` when all calls of these names that came before, in the same line, are done. */
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

  /** Runs `fn` inside those of the names that nobody has or waits for, each of which is given once. */
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
    const last = this.#last.get(line) ?? new Map<string, Promise<void>>();
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
