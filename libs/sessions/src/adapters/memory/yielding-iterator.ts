/** Items one after the other, and `undefined` where the event loop is to have its turn. */
export type Yielding<T> = Generator<T | undefined, undefined, undefined>;

/** A synchronous source as an asynchronous one. Written out, since an async generator costs twice as much for each item. */
export function yielding<T>(source: Yielding<T>): AsyncIterableIterator<T> {
  const nextAfterTurn = async (): Promise<IteratorResult<T>> => {
    for (;;) {
      await new Promise((resume) => setImmediate(resume));
      const next = source.next();
      if (isItem(next)) return next;
    }
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      try {
        const next = source.next();
        return isItem(next) ? Promise.resolve(next) : nextAfterTurn();
      } catch (error) {
        return Promise.reject(error);
      }
    },
    async return() {
      source.return(undefined);
      return { done: true, value: undefined };
    },
  };
}

function isItem<T>(next: IteratorResult<T | undefined, undefined>): next is IteratorResult<T, undefined> {
  return next.done === true || next.value !== undefined;
}
