import { DataSource, EntitySchema, In } from 'typeorm';
import { type EctoAdapter, MemoryAdapter, TypeOrmAdapter } from '../libs/sessions/src/index.js';
import { CleanUps } from './clean-ups.js';
import { connection, createDatabase, type DatabaseName } from './databases.js';
import { spreadOf } from './statistics.js';

/** What `In` of many keys may take, by the number of keys, which is that of the rows, in milliseconds. */
const TARGETS = { database: { keys: 100_000, ms: 1000 }, memory: { keys: 10_000, ms: 50 } };
const ROUNDS = 5;

const Thing = new EntitySchema<{ id: string; owner: string }>({
  name: 'Thing',
  tableName: 'things',
  columns: { id: { type: 'uuid', primary: true }, owner: { type: 'varchar', length: 255 } },
  indices: [{ columns: ['owner'] }],
});

const idOf = (i: number): string => `01900000-0000-7000-8000-${i.toString(16).padStart(12, '0')}`;

/** Milliseconds of each round of finding, counting and changing all rows by their keys, each by one statement. */
async function measure(adapter: EctoAdapter, keys: number): Promise<Record<string, number[]>> {
  adapter.init([Thing]);
  const ids = Array.from({ length: keys }, (_, i) => idOf(i));
  await adapter.insertAll(
    Thing,
    ids.map((id, i) => ({ id, owner: `owner ${i}` })),
  );
  const where = { id: In(ids) };
  const calls = {
    find: () => adapter.execute(adapter.prepare('all', Thing, { where, select: ['id'] })),
    count: () => adapter.execute(adapter.prepare('all', Thing, { where, count: true })),
    change: () => adapter.execute(adapter.prepare('updateAll', Thing, { where, set: { owner: 'changed' } })),
  };
  const times: Record<string, number[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, call] of Object.entries(calls)) {
      const begin = performance.now();
      const { count } = await call();
      (times[name] ??= []).push(performance.now() - begin);
      if (count !== keys) throw new Error(`${name} concerned ${count} rows of ${keys}`);
    }
  }
  return times;
}

function tell(place: string, keys: number, targetMs: number, times: Record<string, number[]>): void {
  const told = Object.entries(times).map(([name, values]) => {
    const { median, min, max } = spreadOf(values);
    return `${name} ${median.toFixed(0)} ms [${min.toFixed(0)} to ${max.toFixed(0)}]`;
  });
  const find = spreadOf(times['find']!).median;
  console.log(
    `${place.padEnd(10)} In of ${keys.toLocaleString('en')} keys: ${told.join(', ')}${find < targetMs ? '' : ' TOO SLOW'}`,
  );
  if (find >= targetMs) process.exitCode = 1;
}

const cleanUps = new CleanUps();
try {
  const { database: target, memory } = TARGETS;
  tell('memory', memory.keys, memory.ms, await measure(new MemoryAdapter(), memory.keys));
  for (const name of ['sqlite', 'postgres', 'mariadb'] satisfies DatabaseName[]) {
    const database = await createDatabase(name, cleanUps, console.log);
    if (!database) continue;
    const dataSource = new DataSource({ ...connection(database), entities: [Thing], synchronize: true });
    await dataSource.initialize();
    tell(name, target.keys, target.ms, await measure(new TypeOrmAdapter(dataSource), target.keys));
    await dataSource.destroy();
  }
} finally {
  await cleanUps.run();
}
