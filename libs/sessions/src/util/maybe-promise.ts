/** A value or its promise. What is in this process is there at once. */
export type MaybePromise<T> = T | Promise<T>;

/** Continues with a value: synchronously if it is there, else when it is. */
export function chain<T, U>(value: MaybePromise<T>, fn: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(fn) : fn(value);
}
