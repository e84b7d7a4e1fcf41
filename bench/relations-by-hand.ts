/**
 * Relations by a driver alone: statements like those of the adapter, rows as arrays, and objects built by hand. No adapter
 * on the same driver can be faster.
 */
import type { DataSource } from 'typeorm';

type Values = readonly unknown[];
type Send = (text: string, values?: Values) => Promise<readonly Values[]>;

/** The used parts of the drivers, by TypeORM's names. */
interface Drivers {
  readonly master: { query(statement: object): Promise<{ rows: Values[] }> };
  readonly pool: {
    query(statement: object, values: Values, done: (error: Error | null, rows: Values[]) => void): void;
  };
  readonly databaseConnection: { prepare(text: string): { raw(): { all(...values: Values): Values[] } } };
}

function senderOf({ driver, options }: DataSource): Send {
  const { master, pool, databaseConnection } = driver as unknown as Drivers;
  if (options.type === 'postgres')
    return async (text, values = []) => (await master.query({ text, values, rowMode: 'array' })).rows;
  if (options.type === 'better-sqlite3')
    return async (text, values = []) =>
      databaseConnection
        .prepare(text)
        .raw()
        .all(...values);
  return (sql, values = []) =>
    new Promise((resolve, reject) =>
      pool.query({ sql, rowsAsArray: true }, values, (error, rows) => (error ? reject(error) : resolve(rows))),
    );
}

const dateOf = (value: unknown): Date => (value instanceof Date ? value : new Date(`${String(value)}Z`));

function orderOf([id, shipperId, customer, orderedAt, freight, city]: Values): {
  shipperId: unknown;
  shipper: unknown;
} {
  const order = { id, shipperId, customer, orderedAt: dateOf(orderedAt), freight, city };
  return order as typeof order & { shipper: unknown };
}

/** All orders with their shippers, and the orders of those. */
export function ordersByHand(dataSource: DataSource): () => Promise<object[]> {
  const { driver } = dataSource;
  const send = senderOf(dataSource);
  const ofOrders = ['id', 'shipperId', 'customer', 'orderedAt', 'freight', 'city'];
  const orders = `SELECT ${ofOrders.map((name) => driver.escape(name)).join(', ')} FROM orders`;
  return async () => {
    const rows = (await send(orders)).map(orderOf);
    const ids = [...new Set(rows.map(({ shipperId }) => shipperId))];
    const marks = ids.map((_, i) => driver.createParameter(`k${i}`, i)).join(', ');
    const found = await send(`SELECT id, name FROM shipper WHERE id IN (${marks})`, ids);
    const shippers = new Map(found.map(([id, name]) => [id, { id, name, orders: [] as object[] }]));
    for (const values of await send(`${orders} WHERE ${driver.escape('shipperId')} IN (${marks})`, ids)) {
      const order = orderOf(values);
      shippers.get(order.shipperId)!.orders.push(order);
    }
    for (const row of rows) row.shipper = shippers.get(row.shipperId) ?? null;
    return rows;
  };
}

/** All users with their sessions. */
export function usersByHand(dataSource: DataSource): () => Promise<object[]> {
  const { driver } = dataSource;
  const send = senderOf(dataSource);
  const ofSessions = ['userId', 'id', 'data', 'expiresAt', 'createdAt', 'updatedAt'];
  const sessions = `SELECT ${ofSessions.map((name) => driver.escape(name)).join(', ')} FROM sessions`;
  return async () => {
    const users = (await send('SELECT id, name FROM users')).map(([id, name]) => ({
      id,
      name,
      sessions: [] as object[],
    }));
    const byId = new Map(users.map((user) => [user.id, user]));
    const marks = users.map((_, i) => driver.createParameter(`k${i}`, i)).join(', ');
    const rows = await send(`${sessions} WHERE ${driver.escape('userId')} IN (${marks})`, [...byId.keys()]);
    for (const [userId, id, json, expiresAt, createdAt, updatedAt] of rows) {
      const data: unknown = typeof json === 'string' ? JSON.parse(json) : json;
      const times = { expiresAt: dateOf(expiresAt), createdAt: dateOf(createdAt), updatedAt: dateOf(updatedAt) };
      byId.get(userId)!.sessions.push({ userId, id, data, ...times });
    }
    return users;
  };
}
