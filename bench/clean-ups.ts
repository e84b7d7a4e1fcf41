/** What a run leaves behind unless it is undone: databases, folders, processes. */
export class CleanUps {
  readonly #undo: (() => Promise<unknown>)[] = [];

  add(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  /** Undoes all of it, the last first, and gives back what could not be undone. */
  async run(): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }
}
