import { CleanUps } from './clean-ups.js';
import { createDatabase, type Database, type DatabaseName } from './databases.js';
import { Dataset } from './dataset.js';
import type { BenchOptions } from './options.js';
import { Progress } from './progress.js';

/** One run: what it was asked for, what it has made, and where it tells of itself. */
export class Bench {
  readonly cleanUps = new CleanUps();
  readonly progress = new Progress();
  readonly #databases = new Map<DatabaseName, Dataset | undefined>();

  constructor(readonly options: BenchOptions) {}

  /** The database of this run on a server, made when it is first asked for; undefined where there is no such server. */
  async dataset(name: DatabaseName): Promise<Dataset | undefined> {
    if (!this.#databases.has(name)) {
      const database = await createDatabase(name, this.cleanUps, (text) => this.progress.say(text));
      const onProgress = (text: string): void => this.progress.show(`filling ${text}`);
      this.#databases.set(name, database && new Dataset(database, this.options.rows, onProgress));
    }
    return this.#databases.get(name);
  }

  /** The databases that were there. */
  get databases(): Database[] {
    return [...this.#databases.values()].flatMap((dataset) => (dataset ? [dataset.database] : []));
  }

  /** Whether a contender takes part; the baselines always do. */
  isWanted(name: string): boolean {
    const { contenders } = this.options;
    return contenders.length === 0 || contenders.some((part) => name.includes(part));
  }
}
