/** A value, or the promise of one: what is in this process is there at once. */
export type Awaitable<T> = T | Promise<T>;

/** Goes on with a value: at once where it is there, and later where it is promised. */
export function andThen<T, U>(value: Awaitable<T>, goOn: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}
