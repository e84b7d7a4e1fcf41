import { AsyncLocalStorage } from 'node:async_hooks';

interface Turn {
  readonly name: string;
  /** The turn in which this one was taken. */
  readonly outer: Turn | undefined;
  over: boolean;
}

/** Calls of the same name, one at a time, in the order in which they came. */
export class Turns {
  readonly #current = new AsyncLocalStorage<Turn>();
  /** By line and name, what the next call waits for. */
  readonly #last = new WeakMap<object, Map<string, Promise<void>>>();

  /** Whether the caller is inside a turn of this name, and so would wait for itself. */
  holds(name: string): boolean {
    for (let turn = this.#current.getStore(); turn; turn = turn.outer) {
      if (turn.name === name && !turn.over) return true;
    }
    return false;
  }

  /** Runs `fn` when all calls of this name that came before, in the same line, are done; inside one of them, at once. */
  async take<T>(name: string, fn: () => Promise<T>, line: object = this): Promise<T> {
    if (this.holds(name)) return fn();
    const { before, leave } = this.#join(line, name);
    await before;
    const turn: Turn = { name, outer: this.#current.getStore(), over: false };
    try {
      return await this.#current.run(turn, fn);
    } finally {
      turn.over = true;
      leave();
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
