/** How long a call that changed a session waits for its message to be sent, and a shutdown for a connection to be closed. */
const PATIENCE_MS = 1000;

/** The result of what may never end, or another one where it takes too long. */
export async function inTime<T>(promise: Promise<T> | undefined, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), PATIENCE_MS).unref();
  });
  const result = await Promise.race([promise ?? otherwise, late]);
  clearTimeout(timer);
  return result;
}
