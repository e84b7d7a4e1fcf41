/** How often a line is written where there is no terminal to overwrite it on. */
const LINE_EVERY_MS = 10_000;

/** Tells what a run is at: on a terminal in one line that changes, elsewhere in a line now and then. */
export class Progress {
  readonly #begin = Date.now();
  #last = 0;

  /** What is under way. */
  show(text: string): void {
    const line = `[${this.#elapsed()}] ${text}`;
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\u001B[2K${line.slice(0, process.stderr.columns - 1)}`);
    } else if (Date.now() - this.#last >= LINE_EVERY_MS) {
      this.#last = Date.now();
      process.stderr.write(`${line}\n`);
    }
  }

  /** What stays. */
  say(text: string): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001B[2K');
    console.log(text);
  }

  #elapsed(): string {
    const seconds = Math.floor((Date.now() - this.#begin) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }
}
