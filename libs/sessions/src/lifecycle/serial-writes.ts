import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { TableEvents, EmittedEvent } from '../events/session-events.js';

/**
 * Writes that belong together, one at a time among those of the same names. In a transaction of their own, what they tell
 * waits for its end; where the database undoes that, they are made anew, and what they have told before is forgotten.
 */
export async function writeSerially<T>(
  adapter: SessionsAdapter,
  events: TableEvents,
  names: readonly string[],
  write: (inner: SessionsAdapter, tell: (event: EmittedEvent) => void) => Promise<T>,
  reading?: 'currentRows',
): Promise<T> {
  let told: EmittedEvent[] = [];
  const writeOnce = (inner: SessionsAdapter): Promise<T> => {
    told = [];
    return write(inner, inner === adapter ? (event) => events.emit(event) : (event) => void told.push(event));
  };
  const result = await adapter.withLock(names, writeOnce, reading);
  for (const event of told) events.emit(event);
  return result;
}
