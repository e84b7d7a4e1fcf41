/** How long anybody waits for what is done by the way, in milliseconds. */
export const PATIENCE_MS = 1000;

/**
 * Calls `late` when the time is over. What has come while the process stood still is read before that, so it can still be
 * called off.
 *
 * @returns what calls it off
 */
export function after(ms: number, late: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => (immediate = setImmediate(late)), ms).unref();
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}

/** The result of what may never end, or what `late` gives where it takes longer. */
export function inTime<T>(promise: Promise<T>, late: () => T, ms = PATIENCE_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const callOff = after(ms, () => resolve(late()));
    promise.finally(callOff).then(resolve, reject);
  });
}
