import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { vi } from 'vitest';
import { freePort } from './free-port.js';
import { NOBODY } from './postgres-server.js';
import { UNTIL_IT_HANGS } from './until.js';

const SMALL = ['--innodb-buffer-pool-size=16M', '--innodb-log-file-size=8M', '--skip-name-resolve'];

/** A MariaDB server of the tests' own. */
export interface MariadbServer {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** Whether this machine has one to start. */
export const hasMariadb = ['mariadbd', 'mariadb-install-db'].every(
  (name) => spawnSync(name, ['--version']).error === undefined,
);

/** Starts the MariaDB of this machine, with further options, on data that go when it stops. */
export async function startMariadb(options: readonly string[] = []): Promise<MariadbServer> {
  const folder = await mkdtemp(join(tmpdir(), 'nest-sessions-mariadb-'));
  // What a node of Galera starts for another one gives up the rights of root.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(folder, NOBODY, NOBODY);
  const user = isRoot ? 'nobody' : userInfo().username;
  const common = ['--no-defaults', `--datadir=${join(folder, 'data')}`, `--user=${user}`];
  // A server that starts deletes the temporary tables of every other one there.
  const env = { ...process.env, TMPDIR: folder };
  await promisify(execFile)(
    'mariadb-install-db',
    [...common, '--auth-root-authentication-method=normal', '--skip-test-db'],
    { env },
  );
  const port = await freePort();
  const address = [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(folder, 'socket')}`];
  const server = spawn('mariadbd', [...common, ...address, ...SMALL, ...options], { stdio: 'ignore', env });
  const ended = once(server, 'exit');
  await vi.waitFor(async () => {
    const connection = await createConnection({ host: '127.0.0.1', port, user: 'root' });
    try {
      await connection.query('CREATE DATABASE IF NOT EXISTS tested');
    } finally {
      await connection.end();
    }
  }, UNTIL_IT_HANGS);
  return {
    url: `mariadb://root@127.0.0.1:${port}/tested`,
    pid: server.pid!,
    stop: async () => {
      server.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
