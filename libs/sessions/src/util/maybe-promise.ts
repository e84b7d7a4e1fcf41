/** A value, or the promise of one: what is in this process is there at once. */
export type MaybePromise<T> = T | Promise<T>;

/** Goes on with a value: at once where it is there, and later where it is promised. */
export function chain<T, U>(value: MaybePromise<T>, fn: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(fn) : fn(value);
}
