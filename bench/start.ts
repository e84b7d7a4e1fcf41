/** What the look at the start costs an application with ten tables of sessions, on each database. */
import { performance } from 'node:perf_hooks';
import { DataSource } from 'typeorm';
import {
  createSessionsTable,
  SessionMark,
  SessionsTable,
  TypeOrmAdapter,
  type SessionsTableClass,
} from '../libs/sessions/src/index.js';
import { CleanUps } from './clean-ups.js';
import { connection, createDatabase, type Database, type DatabaseName } from './databases.js';
import { spreadOf } from './statistics.js';
import { textTable } from './table.js';

const TABLES = 10;
const ROUNDS = 30;
/** Milliseconds that the look of ten tables may take. */
const TARGET_MS = 30;

const TABLE_CLASSES = Array.from({ length: TABLES }, (_, i): SessionsTableClass => {
  return class extends SessionsTable({
    table: `sessions_${i}`,
    extraFields: { userId: { type: 'string', index: true } },
    rotation: true,
    revocation: true,
    lastUse: true,
  }) {
    static override readonly name = `Sessions${i}`;
  };
});

/** The first look, as an application has it, and the median of those that follow. */
async function measure(database: Database): Promise<[first: number, median: number]> {
  const entities = [...TABLE_CLASSES.map(({ entity }) => entity), SessionMark];
  const dataSource = await new DataSource({ ...connection(database), entities }).initialize();
  try {
    const runner = dataSource.createQueryRunner();
    for (const table of TABLE_CLASSES) await createSessionsTable(runner, table);
    await runner.release();
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const begun = performance.now();
      await new TypeOrmAdapter(dataSource).look(entities);
      times.push(performance.now() - begun);
    }
    return [times[0]!, spreadOf(times).median];
  } finally {
    await dataSource.destroy();
  }
}

const cleanUps = new CleanUps();
try {
  const rows: string[][] = [];
  for (const name of ['postgres', 'mariadb', 'sqlite'] satisfies DatabaseName[]) {
    const database = await createDatabase(name, cleanUps, console.error);
    if (!database) continue;
    const [first, median] = await measure(database);
    rows.push([`${name} ${database.version}`, first.toFixed(1), median.toFixed(1), first <= TARGET_MS ? 'yes' : 'NO']);
  }
  const head = ['database', 'first look, ms', `median of ${ROUNDS}, ms`, `at most ${TARGET_MS} ms`];
  console.log(textTable({ head, rows }));
} finally {
  for (const error of await cleanUps.run()) console.error(error);
}
