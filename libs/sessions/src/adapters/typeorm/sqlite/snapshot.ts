import type { SqliteConnection, SqliteStatement } from '../internals.js';
import type { SqliteReadLock } from './read-lock.js';

/** Its callbacks run before any code that awaits a result of this turn goes on. */
const AFTER_THIS = Promise.resolve();

/**
 * A snapshot shared by reads that come together. It ends before any code goes on that awaits one of them, or a write.
 * A lone read takes no snapshot. What other code writes through the driver itself, between two reads of one turn, is seen
 * from the next turn on.
 */
export class SqliteSnapshot {
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  #isSameTurn = false;
  #isOpen = false;
  readonly #endTurn = (): void => {
    this.#isSameTurn = false;
    this.#end();
  };

  constructor(
    private readonly connection: SqliteConnection,
    readonly lock: SqliteReadLock,
  ) {
    this.#begin = connection.prepare('BEGIN');
    this.#commit = connection.prepare('COMMIT');
  }

  /** Lets the next read share the snapshot, and the lock of its turn of the event loop. */
  enter(): void {
    this.lock.enter();
    if (!this.#isSameTurn) {
      this.#isSameTurn = true;
      void AFTER_THIS.then(this.#endTurn);
    } else if (!this.#isOpen) {
      this.#begin.run();
      this.#isOpen = true;
    }
  }

  /** Later reads see the state at that time. A lock that was taken for them is released. */
  end(): void {
    this.lock.release();
    this.#end();
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.connection.open) this.#commit.run();
  }
}
