#!/usr/bin/env bash
# A MariaDB server that starts deletes the temporary tables of every other server with the same tmpdir, which are in use.
#
# Versions: MariaDB 10.11.19 (Debian 12), mysql2 3.24.6, Node.js 20.20.2.
#
# Behaviour: temporary tables of the Aria engine, which the server also makes by itself for sorting and grouping, are files in
# `tmpdir`, /tmp unless said otherwise, whose names begin with `#sql`. At its start, a server takes all files there with such
# names for leftovers of its own past and deletes them, also those of a server that runs, although each has a data directory, a
# port and a socket of its own. A statement of the other server can then fail with errno 1017, "Can't find file": so did
# mariadb-install-db, which starts a server too, now and then on a machine whose tests started several. A tmpdir for each
# server keeps them apart.
#
# Output seen:
#   a tmpdir each: file of the temporary table before and after the other server starts: 1, 1
#   one tmpdir: file of the temporary table before and after the other server starts: 1, 0
#
# Needs mariadbd and mariadb-install-db. Exits with 1 where it behaves otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund mysql2@3.24.6 >/dev/null
mkdir one other third
chmod 777 . one other third

cat >main.mjs <<'JS'
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import mysql from 'mysql2/promise';

const user = process.getuid() === 0 ? ['--user=nobody'] : [];

async function start(name, tmpdir) {
  const data = [`--datadir=${process.cwd()}/${name}/data`, `--tmpdir=${process.cwd()}/${tmpdir}`, ...user];
  execFileSync('mariadb-install-db', ['--no-defaults', ...data, '--auth-root-authentication-method=normal', '--skip-test-db'], {
    stdio: 'ignore',
  });
  const free = createServer().listen(0);
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  const address = [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${process.cwd()}/${name}/socket`];
  const server = spawn('mariadbd', ['--no-defaults', ...data, ...address, '--innodb-buffer-pool-size=16M'], { stdio: 'ignore' });
  for (let tries = 0; ; tries++) {
    const client = await mysql.createConnection({ host: '127.0.0.1', port, user: 'root' }).catch(() => undefined);
    if (client) return { client, stop: () => client.end().then(() => server.kill()) };
    if (tries === 300) throw new Error('The server does not start.');
    await setTimeout(100);
  }
}

const files = () => readdirSync('one').filter((name) => name.startsWith('#sql') && name.endsWith('.MAD')).length;
const first = await start('one', 'one');
const seen = [];
for (const [title, name, tmpdir] of [
  ['a tmpdir each', 'other', 'other'],
  ['one tmpdir', 'third', 'one'],
]) {
  await first.client.query('CREATE TEMPORARY TABLE mysql.kept (id int) ENGINE = Aria');
  const before = files();
  const second = await start(name, tmpdir);
  const after = files();
  console.log(`${title}: file of the temporary table before and after the other server starts: ${before}, ${after}`);
  seen.push(before, after);
  await first.client.query('DROP TEMPORARY TABLE mysql.kept').catch(() => undefined);
  await second.stop();
}
await first.stop();
process.exitCode = seen.join() === '1,1,1,0' ? 0 : 1;
JS
node main.mjs
