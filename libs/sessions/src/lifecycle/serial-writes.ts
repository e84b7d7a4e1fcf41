import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { TableEvents, EmittedEvent } from '../events/session-events.js';

/**
 * Runs writes that belong together; writes with the same names run one at a time. In a transaction of their own, their
 * events wait for its end. If the database rolls it back, the writes run again, and their earlier events are discarded.
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
