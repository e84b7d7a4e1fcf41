import { setImmediate } from 'node:timers';
import type { SqliteConnection, SqliteStatement } from '../internals.js';

/**
 * Holds a reader's lock on the write-ahead log from the second read in a turn of the event loop to the end of the turn.
 * Meanwhile, reads of other connections in this process need no lock of the operating system, which takes as long as
 * everything else that they do. They still see the latest commit. Nobody can start the log over, so whatever may write
 * releases the lock first.
 */
export class SqliteReadLock {
  readonly #begin: SqliteStatement;
  readonly #read: SqliteStatement;
  readonly #commit: SqliteStatement;
  #turn: NodeJS.Immediate | undefined;
  /** Whether the next read takes it. */
  #isDue = false;
  #isHeld = false;
  readonly #endTurn = (): void => {
    this.#turn = undefined;
    this.release();
  };

  /** @param connection used for nothing else, because it does not see what is committed while it holds the lock */
  constructor(private readonly connection: SqliteConnection) {
    this.#begin = connection.prepare('BEGIN');
    this.#read = connection.prepare('SELECT 1 FROM sqlite_master');
    this.#commit = connection.prepare('COMMIT');
  }

  /** Called before each read. A lone one takes no lock besides its own. */
  enter(): void {
    if (!this.#turn) {
      this.#turn = setImmediate(this.#endTurn);
      this.#isDue = true;
    } else if (this.#isDue) {
      this.#isDue = false;
      this.#take();
    }
  }

  /** Releases it for the rest of the turn. */
  release(): void {
    this.#isDue = false;
    if (!this.#isHeld) return;
    this.#isHeld = false;
    if (this.connection.open) this.#commit.run();
  }

  #take(): void {
    this.#begin.run();
    this.#isHeld = true;
    try {
      this.#read.get();
    } catch {
      // Somebody else has locked the file: the reads themselves deal with that.
      this.release();
    }
  }
}
