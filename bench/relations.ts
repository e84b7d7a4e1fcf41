/**
 * Relations, side by side: every order of 830 with its shipper, and the orders of that, and a user with 200 sessions, on each
 * database and in memory, by the drivers alone, and by their statements alone, whose rows nobody reads. Beside the time, how
 * long the event loop was held at once.
 */
import { DataSource, EntitySchema } from 'typeorm';
import { MemoryAdapter, SessionMark, SessionsTable, TypeOrmAdapter } from '../libs/sessions/src/index.js';
import { CleanUps } from './clean-ups.js';
import { connection, createDatabase, type DatabaseName } from './databases.js';
import { ordersByHand, ordersUnread, usersByHand, usersUnread } from './relations-by-hand.js';
import { ratios, type Spread, spreadOf } from './statistics.js';

type Adapter = MemoryAdapter | TypeOrmAdapter;
type Rows = Record<string, unknown>[];

const ORDERS = 830;
const SHIPPERS = 3;
const SESSIONS = 200;
const ROUNDS = 15;
const WARM_UPS = 10;
const CHUNK = 100;

interface OrderRow {
  id: number;
  shipperId: number;
  customer: string;
  orderedAt: Date;
  freight: number;
  city: string | null;
  shipper: object;
}

const Shipper = new EntitySchema<{ id: number; name: string; orders: object[] }>({
  name: 'Shipper',
  columns: { id: { type: 'int', primary: true }, name: { type: 'varchar', length: 40 } },
  relations: { orders: { type: 'one-to-many', target: 'Order', inverseSide: 'shipper' } },
});

const Order = new EntitySchema<OrderRow>({
  name: 'Order',
  tableName: 'orders',
  columns: {
    id: { type: 'int', primary: true },
    shipperId: { type: 'int' },
    customer: { type: 'varchar', length: 40 },
    orderedAt: { type: Date, precision: 3 },
    freight: { type: 'double precision' },
    city: { type: 'varchar', length: 40, nullable: true },
  },
  indices: [{ columns: ['shipperId'] }],
  relations: {
    shipper: { type: 'many-to-one', target: 'Shipper', joinColumn: { name: 'shipperId' }, inverseSide: 'orders' },
  },
});

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string', length: 36, index: true },
    user: { manyToOne: () => User, joinColumn: 'userId', inverse: 'sessions' },
  },
}) {}

const User = new EntitySchema<{ id: string; name: string; sessions: object[] }>({
  name: 'User',
  tableName: 'users',
  columns: { id: { type: 'varchar', length: 36, primary: true }, name: { type: 'varchar', length: 40 } },
  relations: { sessions: { type: 'one-to-many', target: 'Sessions', inverseSide: 'user' } },
});

async function fill(adapter: Adapter): Promise<void> {
  const at = new Date('2026-01-01T00:00:00.000Z');
  const orders = Array.from({ length: ORDERS }, (_, id) => ({
    id,
    shipperId: id % SHIPPERS,
    customer: `customer ${id % 90}`,
    orderedAt: at,
    freight: id / 8,
    city: id % 7 === 0 ? null : 'Bern',
  }));
  const sessions = Array.from({ length: SESSIONS }, (_, i) => ({
    id: `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`,
    authTokenDigest: String(i).padStart(64, '0'),
    userId: 'u1',
    data: { theme: 'dark' },
    createdAt: at,
    updatedAt: at,
    expiresAt: at,
  }));
  await adapter.insertAll(
    Shipper,
    Array.from({ length: SHIPPERS }, (_, id) => ({ id, name: `shipper ${id}` })),
  );
  await adapter.insert(User, { id: 'u1', name: 'Ann' });
  for (let i = 0; i < ORDERS; i += CHUNK) await adapter.insertAll(Order, orders.slice(i, i + CHUNK));
  for (let i = 0; i < SESSIONS; i += CHUNK) await adapter.insertAll(Sessions.entity, sessions.slice(i, i + CHUNK));
}

interface Read {
  readonly title: string;
  readonly read: (adapter: Adapter) => Promise<Rows>;
  readonly byHand?: (dataSource: DataSource) => () => Promise<object[]>;
  readonly unread?: (dataSource: DataSource) => () => Promise<object[]>;
}

const READS: readonly Read[] = [
  {
    title: `${ORDERS} orders with { shipper: { orders: true } }`,
    read: async (adapter) =>
      (await adapter.execute(adapter.prepare('all', Order, { relations: { shipper: { orders: true } } }))).rows!,
    byHand: ordersByHand,
    unread: (dataSource) => ordersUnread(dataSource, [...Array(SHIPPERS).keys()]),
  },
  {
    title: `a user with ${SESSIONS} sessions`,
    read: async (adapter) =>
      (await adapter.execute(adapter.prepare('all', User, { relations: { sessions: true } }))).rows!,
    byHand: usersByHand,
    unread: (dataSource) => usersUnread(dataSource, ['u1']),
  },
  {
    title: `${SESSIONS} sessions with their user`,
    read: async (adapter) =>
      (await adapter.execute(adapter.prepare('all', Sessions.entity, { relations: { user: true } }))).rows!,
  },
];

type Contenders = ReadonlyMap<string, () => Promise<object[]>>;

/** How each adapter reads it, how each driver alone does, and its statements alone. */
function contendersOf({ read, byHand, unread }: Read, adapters: ReadonlyMap<string, Adapter>): Contenders {
  const contenders = new Map<string, () => Promise<object[]>>();
  for (const [name, adapter] of adapters) {
    contenders.set(name, () => read(adapter));
    if (!(adapter instanceof TypeOrmAdapter)) continue;
    if (byHand) contenders.set(`${name} by hand`, byHand(adapter.dataSource));
    if (unread) contenders.set(`${name} unread`, unread(adapter.dataSource));
  }
  return contenders;
}

/** How many objects an answer has, each once. */
function objectsOf(value: unknown, known = new Set<object>()): number {
  if (typeof value !== 'object' || value === null || value instanceof Date || known.has(value)) return known.size;
  known.add(value);
  for (const part of Object.values(value)) objectsOf(part, known);
  return known.size;
}

interface Turn {
  readonly ms: number;
  readonly heldMs: number;
}

/** The time of a read, and the longest in which the event loop had no turn. */
async function turn(read: () => Promise<object[]>): Promise<Turn> {
  let last = performance.now();
  let heldMs = 0;
  let reading = true;
  const tick = (): void => {
    const now = performance.now();
    heldMs = Math.max(heldMs, now - last);
    last = now;
    if (reading) setImmediate(tick);
  };
  setImmediate(tick);
  const begin = performance.now();
  await read();
  const ms = performance.now() - begin;
  reading = false;
  tick();
  return { ms, heldMs };
}

const shown = ({ median, min, max }: Spread): string => `${median.toFixed(2)} [${min.toFixed(2)} to ${max.toFixed(2)}]`;

const cleanUps = new CleanUps();
try {
  console.log(`Node ${process.version}; milliseconds, medians of ${ROUNDS} rounds`);
  const adapters = new Map<string, Adapter>([['memory', new MemoryAdapter()]]);
  for (const name of ['sqlite', 'postgres', 'mariadb'] satisfies DatabaseName[]) {
    const database = await createDatabase(name, cleanUps, (text) => console.log(text));
    if (!database) continue;
    const entities = [Shipper, Order, User, Sessions.entity, SessionMark];
    const dataSource = await new DataSource({ ...connection(database), entities, synchronize: true }).initialize();
    cleanUps.add(() => dataSource.destroy());
    adapters.set(name, new TypeOrmAdapter(dataSource));
  }
  for (const adapter of adapters.values()) await fill(adapter);
  for (const one of READS) {
    const contenders = contendersOf(one, adapters);
    const turns = new Map([...contenders.keys()].map((name) => [name, [] as Turn[]]));
    for (const read of contenders.values()) for (let i = 0; i < WARM_UPS; i++) await read();
    for (let round = 0; round < ROUNDS; round++)
      for (const [name, read] of contenders) turns.get(name)!.push(await turn(read));
    const times = (name: string): number[] => turns.get(name)!.map(({ ms }) => ms);
    console.log(`\n${one.title}`);
    for (const [name, read] of contenders) {
      const held = spreadOf(turns.get(name)!.map(({ heldMs }) => heldMs));
      const factor = ratios(times(name), times('memory'));
      console.log(
        `${name.padEnd(16)} ${shown(spreadOf(times(name)))}, × memory ${factor.median.toFixed(1)}, held at once ${shown(held)}, objects ${objectsOf(await read())}`,
      );
    }
  }
} finally {
  for (const error of await cleanUps.run()) console.error(error);
}
