import { hash } from 'node:crypto';
import { EntitySchema, LessThanOrEqual } from 'typeorm';
import { MemoryAdapter, param, SessionsTable } from '../libs/sessions/src/index.js';

/** What Etso reached on a two-core machine at 100,000 rows: operations or rows in a second. */
const ETSO = { insert: 140_000, insertAll: 300_000, delete: 206_000, stream: 1_800_000, byKeyUs: 6200 };

const SIZES = [1000, 100_000, 1_000_000];
const DAY_MS = 86_400_000;

/** A table of sessions, and one with the two columns of the rows that Etso was measured with. */
const Session = class extends SessionsTable({ extraFields: { userId: { type: 'string', index: true } } }) {}.entity;
const Plain = new EntitySchema<{ id: number; name: string }>({
  name: 'Plain',
  columns: { id: { type: 'int', primary: true }, name: { type: 'text' } },
});

const now = Date.now();
const hex = (i: number): string => i.toString(16).padStart(12, '0');
const idOf = (i: number): string => `01900000-0000-7000-8000-${hex(i)}`;
const digestOf = (i: number): string => hash('sha256', String(i));

function sessionRow(i: number, expired = false): Record<string, unknown> {
  const createdAt = new Date(now);
  const expiresAt = new Date(expired ? now - i : now + DAY_MS + i);
  return {
    id: idOf(i),
    authTokenDigest: digestOf(i),
    userId: `user-${i % 50_000}`,
    data: {},
    expiresAt,
    createdAt,
    updatedAt: createdAt,
  };
}

const plainRow = (i: number): { id: number; name: string } => ({ id: i, name: `row ${i}` });

/** Milliseconds that a run took. */
async function timed(run: () => Promise<unknown>): Promise<number> {
  const begin = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Microseconds of one call, the median of several series. */
async function microseconds(call: (i: number) => Promise<unknown>, calls = 20_000): Promise<number> {
  const series: number[] = [];
  for (let round = 0; round < 7; round++) {
    series.push(
      ((await timed(async () => {
        for (let i = 0; i < calls; i++) await call(i);
      })) *
        1000) /
        calls,
    );
  }
  return median(series);
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

async function lookups(size: number): Promise<void> {
  const adapter = new MemoryAdapter();
  adapter.init([Session]);
  const before = heapBytes();
  for (let start = 0; start < size; start += 10_000) {
    const count = Math.min(10_000, size - start);
    await adapter.insertAll(
      Session,
      Array.from({ length: count }, (_, i) => sessionRow(start + i)),
    );
  }
  const bytes = (heapBytes() - before) / size;
  const byKey = adapter.prepare('all', Session, { where: { id: param('id') } });
  const byDigest = adapter.prepare('all', Session, { where: { authTokenDigest: param('digest') } });
  const spread = (i: number): number => (i * 104_729) % size;
  const key = await microseconds((i) => adapter.execute(byKey, { id: idOf(spread(i)) }));
  const digest = await microseconds((i) => adapter.execute(byDigest, { digest: digestOf(spread(i)) }));
  await adapter.insertAll(
    Session,
    Array.from({ length: 1000 }, (_, i) => sessionRow(size + i, true)),
  );
  const expired = adapter.prepare('deleteAll', Session, {
    where: { expiresAt: LessThanOrEqual(param('now')) },
    order: { expiresAt: 'ASC' },
    take: 1000,
  });
  const prune = await timed(() => adapter.execute(expired, { now: new Date(now) }));
  console.log(
    `${size.toLocaleString('en').padStart(9)} rows | by key ${key.toFixed(2)} µs | by digest ${digest.toFixed(2)} µs | ` +
      `1,000 expired pruned in ${prune.toFixed(2)} ms | ${Math.round(bytes)} bytes a session`,
  );
}

async function againstEtso(): Promise<void> {
  const count = 100_000;
  const rates: Record<'insert' | 'insertAll' | 'stream' | 'delete', number[]> = {
    insert: [],
    insertAll: [],
    stream: [],
    delete: [],
  };
  for (let round = 0; round < 7; round++) {
    const single = new MemoryAdapter();
    const rate = async (run: () => Promise<unknown>): Promise<number> => (count / (await timed(run))) * 1000;
    rates.insert.push(
      await rate(async () => {
        for (let i = 1; i <= count; i++) await single.insert(Plain, plainRow(i));
      }),
    );
    const bulk = new MemoryAdapter();
    const rows = Array.from({ length: count }, (_, i) => plainRow(i + 1));
    rates.insertAll.push(await rate(() => bulk.insertAll(Plain, rows)));
    rates.stream.push(
      await rate(async () => {
        for await (const row of bulk.stream(bulk.prepare('all', Plain))) if (!row) throw new Error('no row');
      }),
    );
    rates.delete.push(
      await rate(async () => {
        for (let i = 1; i <= count; i++) await single.delete(Plain, { id: i });
      }),
    );
  }
  for (const name of ['insert', 'insertAll', 'stream', 'delete'] as const) {
    const sorted = rates[name].toSorted((a, b) => a - b);
    const [low, middle, high] = [sorted[0]!, median(sorted), sorted.at(-1)!].map((value) =>
      Math.round(value).toLocaleString('en'),
    );
    console.log(
      `${name.padEnd(9)} ${middle}/s [${low} to ${high}], ${(median(sorted) / ETSO[name]).toFixed(2)} of Etso's ${ETSO[name].toLocaleString('en')}/s`,
    );
  }
}

console.log(`MemoryAdapter, Node ${process.version}`);
for (const size of SIZES) await lookups(size);
await againstEtso();
