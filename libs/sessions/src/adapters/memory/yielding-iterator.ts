/**
 * A synchronous source as an asynchronous one, which after each `size` items lets the event loop have its turn. Written
 * out, since an async generator costs twice as much for each item.
 */
export function yielding<T>(source: Iterator<T, undefined>, size: number): AsyncIterableIterator<T> {
  let read = 0;
  const nextAfterTurn = async (): Promise<IteratorResult<T>> => {
    await new Promise((resume) => setImmediate(resume));
    return source.next();
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (read++ > 0 && read % size === 1 % size) return nextAfterTurn();
      try {
        return Promise.resolve(source.next());
      } catch (error) {
        return Promise.reject(error);
      }
    },
    async return() {
      source.return?.();
      return { done: true, value: undefined };
    },
  };
}
