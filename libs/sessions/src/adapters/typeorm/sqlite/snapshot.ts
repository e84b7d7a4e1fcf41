import type { SqliteConnection, SqliteStatement } from '../internals.js';

/** Its callbacks run before any code that awaits a result of this turn goes on. */
const AFTER_THIS = Promise.resolve();

/**
 * A snapshot shared by the reads of one turn. It ends before any code goes on that awaits one of them, or a write of
 * that turn. Locking the write-ahead log takes five times as long as finding a row. A lone read takes no snapshot.
 */
export class SqliteSnapshot {
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  #isSameTurn = false;
  #isOpen = false;
  readonly #endTurn = (): void => {
    this.#isSameTurn = false;
    this.end();
  };

  constructor(private readonly connection: SqliteConnection) {
    this.#begin = connection.prepare('BEGIN');
    this.#commit = connection.prepare('COMMIT');
  }

  /** Lets the next read share the snapshot. */
  enter(): void {
    if (!this.#isSameTurn) {
      this.#isSameTurn = true;
      void AFTER_THIS.then(this.#endTurn);
    } else if (!this.#isOpen) {
      this.#begin.run();
      this.#isOpen = true;
    }
  }

  /** Later reads see the state at that time. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.connection.open) this.#commit.run();
  }
}
