/** The turns of one build of the library, in a process and on a database of its own. */
import { authenticate, fillByLibrary, FullSessions } from './contenders/nest-sessions.js';
import { makeWritten, ownWriter, type Write, WRITES, writes } from './contenders/writers.js';
import { check } from './contender.js';
import type { Database } from './databases.js';
import { Dataset } from './dataset.js';
import { validations } from './measure.js';
import type { Turn } from './results.js';

/** What a process is to measure. */
export interface Visit {
  readonly database: Database;
  /** Sessions that are looked up. */
  readonly rows: number;
  /** Length of a turn. */
  readonly seconds: number;
  readonly atOnce: readonly number[];
  /** Whether it writes, too. */
  readonly isWriting: boolean;
}

/** What it has measured. */
export interface TurnOf {
  readonly what: 'look-up' | Write;
  readonly atOnce: number;
  readonly turn: Turn;
}

const visit = JSON.parse(process.argv[2]!) as Visit;
const dataset = new Dataset(visit.database, visit.rows, () => undefined);
const measured: TurnOf[] = [];

/** A turn of each number at once, after one that does not count: it compiles the code. */
async function take(what: TurnOf['what'], turnAt: (atOnce: number) => Promise<Turn>): Promise<void> {
  await turnAt(Math.max(...visit.atOnce));
  for (const atOnce of visit.atOnce) {
    globalThis.gc!();
    measured.push({ what, atOnce, turn: await turnAt(atOnce) });
  }
}

await fillByLibrary(dataset);
const contender = await authenticate(visit.database, FullSessions);
await check('this build', contender, visit.rows);
await take('look-up', (atOnce) => validations(contender, { ...visit, atOnce }));
await contender.close();
if (visit.isWriting) {
  await makeWritten(dataset);
  const writer = await ownWriter(visit.database);
  for (const write of WRITES) await take(write, (atOnce) => writes(write, writer, writer, { ...visit, atOnce }));
  await writer.close();
}
process.send!(measured, () => process.exit());
