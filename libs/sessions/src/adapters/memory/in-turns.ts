/**
 * A synchronous source as an asynchronous one, which after each `size` items lets the event loop have its turn. Written
 * out, since an async generator costs three times as much for each item.
 */
export function inTurns<T>(source: Iterator<T, undefined>, size: number): AsyncIterableIterator<T> {
  let read = 0;
  const next = async (): Promise<IteratorResult<T>> => source.next();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (read++ % size > 0 || read === 1) {
        try {
          return Promise.resolve(source.next());
        } catch (error) {
          return Promise.reject(error as Error);
        }
      }
      return new Promise((resume) => setImmediate(resume)).then(next);
    },
    async return() {
      source.return?.();
      return { done: true, value: undefined };
    },
  };
}
