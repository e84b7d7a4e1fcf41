import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TypeOrmAdapter } from '@app/sessions';
import { createDatabase, SERVERS, type TestDatabase } from '../support/databases.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

const ROUNDS = 25;

describe.each(SERVERS)('connections that end while they are new, on %s', (type) => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  beforeAll(async () => {
    database = await createDatabase(type);
    const { hostname, port } = new URL(database.url);
    proxy = new TcpProxy({ host: hostname, port: Number(port) });
    await proxy.open();
  });
  afterAll(async () => {
    await proxy.cut();
    await database.drop();
  });

  it('end no process, whatever the moment, and whether the pool ends too', async () => {
    const uncaught = vi.fn<() => void>();
    process.on('uncaughtException', uncaught);
    for (let round = 0; round < ROUNDS; round++) {
      const url = proxy.through(database.url);
      const dataSource = await new DataSource({ type, url, poolSize: 8 }).initialize();
      const asked = Promise.allSettled(Array.from({ length: 8 }, () => dataSource.query('SELECT 1')));
      // Another moment of the handshake each time.
      await pause(round % 8);
      const ended = round % 2 ? dataSource.destroy().catch(() => undefined) : undefined;
      await proxy.cut();
      await Promise.all([asked, ended]);
      await proxy.open();
      if (!ended) await dataSource.destroy().catch(() => undefined);
    }
    process.off('uncaughtException', uncaught);
    expect(uncaught).not.toHaveBeenCalled();
  });

  it.runIf(type === 'postgres')('tell a pool of the application, where it listens', async () => {
    const pool = new Pool({ connectionString: proxy.through(database.url) });
    const told = vi.fn<() => void>();
    pool.on('error', told);
    await pool.query('SELECT 1');
    await proxy.cut();
    await expect.poll(() => told.mock.calls.length, UNTIL_IT_HANGS).toBe(1);
    await pool.end();
    await proxy.open();
  });
});

/** How PostgreSQL says that a connection is ready, and that its operator has ended it. */
const READY = Buffer.from('Z\0\0\0\u0005I', 'latin1');
const FIELDS = ['SFATAL', 'C57P01', 'Mterminating connection due to administrator command', '', ''].join('\0');
const OVER = Buffer.from(`E\0\0\0${String.fromCharCode(FIELDS.length + 4)}${FIELDS}`, 'latin1');

describe.runIf(SERVERS.includes('postgres'))('connections of pg that are over as soon as they are ready', () => {
  it('end no process, of the library and of the application', async () => {
    const database = await createDatabase('postgres');
    const { hostname: host, port } = new URL(database.url);
    let areOver = false;
    const server = createServer((client) => {
      const upstream = connect({ host, port: Number(port) });
      upstream.on('data', (said) => {
        if (areOver && said.subarray(-READY.length).equals(READY)) client.end(Buffer.concat([said, OVER]));
        else client.write(said);
      });
      client.pipe(upstream).on('error', () => client.destroy());
      client.on('error', () => upstream.destroy());
      client.on('close', () => upstream.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(database.url);
    url.port = String((server.address() as AddressInfo).port);
    const dataSource = await new DataSource({ type: 'postgres', url: url.href, poolSize: 8 }).initialize();
    const adapter = new TypeOrmAdapter(dataSource);
    const uncaught = vi.fn<() => void>();
    process.on('uncaughtException', uncaught);

    // The first connection is in use meanwhile.
    await adapter.checkout(async () => {
      areOver = true;
      const done = async (): Promise<void> => undefined;
      await Promise.allSettled(Array.from({ length: 3 }, () => adapter.checkout(done)));
      await Promise.allSettled(Array.from({ length: 3 }, () => dataSource.transaction(done)));
      areOver = false;
    });
    process.off('uncaughtException', uncaught);
    expect(uncaught).not.toHaveBeenCalled();
    expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await dataSource.destroy();
    server.close();
    await database.drop();
  });
});
