/**
 * Relations by a driver alone: statements like those of the adapter, rows as arrays with the driver's own parsers, and objects
 * built by hand. And the same statements whose rows nobody reads: no adapter on the same driver can be faster.
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

/** `pg` and `mysql2` are told to leave values as they come. */
const PG_UNREAD = { types: { getTypeParser: () => (text: string) => text } };
const MYSQL_UNREAD = { typeCast: false };

function senderOf({ driver, options }: DataSource, isRead = true): Send {
  const { master, pool, databaseConnection } = driver as unknown as Drivers;
  if (options.type === 'postgres') {
    const how = { rowMode: 'array', ...(!isRead && PG_UNREAD) };
    return async (text, values = []) => (await master.query({ text, values, ...how })).rows;
  }
  if (options.type === 'better-sqlite3')
    return async (text, values = []) =>
      databaseConnection
        .prepare(text)
        .raw()
        .all(...values);
  const how = { rowsAsArray: true, ...(!isRead && MYSQL_UNREAD) };
  return (sql, values = []) =>
    new Promise((resolve, reject) =>
      pool.query({ sql, ...how }, values, (error, rows) => (error ? reject(error) : resolve(rows))),
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

/** The columns of orders and sessions that are read. */
const OF_ORDERS = ['id', 'shipperId', 'customer', 'orderedAt', 'freight', 'city'];
const OF_SESSIONS = ['userId', 'id', 'data', 'expiresAt', 'createdAt', 'updatedAt'];
const SHIPPERS = 'SELECT id, name FROM shipper';
const USERS = 'SELECT id, name FROM users';

function selected({ driver }: DataSource, columns: readonly string[], table: string): string {
  return `SELECT ${columns.map((name) => driver.escape(name)).join(', ')} FROM ${table}`;
}

function among({ driver }: DataSource, column: string, values: Values): string {
  const marks = values.map((_, i) => driver.createParameter(`k${i}`, i)).join(', ');
  return `WHERE ${driver.escape(column)} IN (${marks})`;
}

/** All orders with their shippers, and the orders of those. */
export function ordersByHand(dataSource: DataSource): () => Promise<object[]> {
  const send = senderOf(dataSource);
  const orders = selected(dataSource, OF_ORDERS, 'orders');
  return async () => {
    const rows = (await send(orders)).map(orderOf);
    const ids = [...new Set(rows.map(({ shipperId }) => shipperId))];
    const found = await send(`${SHIPPERS} ${among(dataSource, 'id', ids)}`, ids);
    const shippers = new Map(found.map(([id, name]) => [id, { id, name, orders: [] as object[] }]));
    for (const values of await send(`${orders} ${among(dataSource, 'shipperId', ids)}`, ids)) {
      const order = orderOf(values);
      shippers.get(order.shipperId)!.orders.push(order);
    }
    for (const row of rows) row.shipper = shippers.get(row.shipperId) ?? null;
    return rows;
  };
}

/** All users with their sessions. */
export function usersByHand(dataSource: DataSource): () => Promise<object[]> {
  const send = senderOf(dataSource);
  const sessions = selected(dataSource, OF_SESSIONS, 'sessions');
  return async () => {
    const users = (await send(USERS)).map(([id, name]) => ({ id, name, sessions: [] as object[] }));
    const byId = new Map(users.map((user) => [user.id, user]));
    const ids = [...byId.keys()];
    for (const values of await send(`${sessions} ${among(dataSource, 'userId', ids)}`, ids)) {
      const [userId, id, json, expiresAt, createdAt, updatedAt] = values;
      const data: unknown = typeof json === 'string' ? JSON.parse(json) : json;
      const times = { expiresAt: dateOf(expiresAt), createdAt: dateOf(createdAt), updatedAt: dateOf(updatedAt) };
      byId.get(userId)!.sessions.push({ userId, id, data, ...times });
    }
    return users;
  };
}

/** The statements of {@link ordersByHand}, by known keys. */
export function ordersUnread(dataSource: DataSource, ids: Values): () => Promise<object[]> {
  const orders = selected(dataSource, OF_ORDERS, 'orders');
  const [ofShippers, ofOrders] = [among(dataSource, 'id', ids), among(dataSource, 'shipperId', ids)];
  return unread(dataSource, [[orders], [`${SHIPPERS} ${ofShippers}`, ids], [`${orders} ${ofOrders}`, ids]]);
}

/** The statements of {@link usersByHand}, by known keys. */
export function usersUnread(dataSource: DataSource, ids: Values): () => Promise<object[]> {
  const sessions = `${selected(dataSource, OF_SESSIONS, 'sessions')} ${among(dataSource, 'userId', ids)}`;
  return unread(dataSource, [[USERS], [sessions, ids]]);
}

function unread(
  dataSource: DataSource,
  statements: readonly (readonly [text: string, values?: Values])[],
): () => Promise<object[]> {
  const send = senderOf(dataSource, false);
  return async () => {
    for (const statement of statements) await send(...statement);
    return [];
  };
}
