/** How long anybody waits for background work, in milliseconds. */
export const PATIENCE_MS = 1000;

/**
 * Calls `late` after a time. Input that arrived while the process stood still is read first, so it can still cancel
 * this.
 *
 * @returns a function that cancels it
 */
export function after(ms: number, late: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => (immediate = setImmediate(late)), ms).unref();
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}

/** Returns the result of a promise that may never settle, or what `late` returns if it takes longer. */
export function inTime<T>(promise: Promise<T>, late: () => T, ms = PATIENCE_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const callOff = after(ms, () => resolve(late()));
    promise.finally(callOff).then(resolve, reject);
  });
}
