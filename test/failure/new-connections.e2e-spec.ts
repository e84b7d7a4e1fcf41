import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

const ROUNDS = 25;

const servers = (['postgres', 'mariadb'] as const).filter((type) => inject(`${type}Url`) !== undefined);

describe.each(servers)('connections that end while they are new, on %s', (type) => {
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
