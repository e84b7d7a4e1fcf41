import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.js';
import { NOBODY } from './postgres-server.js';

/** A pooler in front of a PostgreSQL server. */
export interface PgBouncer {
  /** An address of the server, by way of the pooler. */
  through(url: string): string;
  stop(): Promise<void>;
}

/** Where PgBouncer is; Debian puts it where only root looks. */
export function pgbouncerPath(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path));
}

/** Starts a PgBouncer of the tests' own. */
export async function startPgBouncer(
  path: string,
  server: string,
  mode: 'session' | 'transaction',
): Promise<PgBouncer> {
  const { hostname, port, username, password } = new URL(server);
  const secret = password && ` password=${decodeURIComponent(password)}`;
  const folder = await mkdtemp(join(tmpdir(), 'nest-sessions-pgbouncer-'));
  await chmod(folder, 0o755);
  const ownPort = await freePort();
  const settings = [
    '[databases]',
    `* = host=${hostname} port=${port || 5432} user=${username}${secret}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${ownPort}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${mode}`,
    'default_pool_size = 20',
  ];
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(file, `${settings.join('\n')}\n`);
  // It refuses to run as root.
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const pooler = spawn(path, [file], { ...asNobody, stdio: ['ignore', 'ignore', 'pipe'] });
  await isListening(pooler);
  return {
    through(url) {
      const address = new URL(url);
      address.hostname = '127.0.0.1';
      address.port = String(ownPort);
      return address.href;
    },
    async stop() {
      const exit = once(pooler, 'exit');
      pooler.kill('SIGTERM');
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isListening(pooler: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    pooler.stderr!.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('process up')) resolve();
    });
    pooler.once('error', reject);
    pooler.once('exit', (code) => reject(new Error(`PgBouncer ended with code ${code}:\n${log}`)));
  });
}
