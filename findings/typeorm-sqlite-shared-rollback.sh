#!/usr/bin/env bash
# TypeORM on better-sqlite3: a rollback undoes what other requests have written, and been told that it is written, meanwhile.
#
# Versions: typeorm 1.1.1, better-sqlite3 12.11.1, reflect-metadata 0.2.2, Node.js 20.20.2.
#
# Behaviour: a data source of SQLite has one connection, which all query runners share. While one request is inside
# `dataSource.transaction(…)` and awaits something, a statement of any other request, by `dataSource.manager` and with no
# transaction of its own, runs inside that transaction. Its promise resolves, it is read back as written, and the rollback
# of the first request takes it away, without an error for anybody. A query runner of its own, by `createQueryRunner()`, changes
# nothing. A transaction of the second request becomes a savepoint of the first one's: its "commit" is undone as well.
#
# Output seen:
#   while the transaction is open: written by the manager, by a query runner, in a transaction
#   after its rollback: nothing
#
# Needs what builds better-sqlite3 where no built one is to be had. Exits with 1 where it behaves otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund typeorm@1.1.1 better-sqlite3@12.11.1 reflect-metadata@0.2.2 >/dev/null

cat >main.mjs <<'JS'
import 'reflect-metadata';
import { DataSource } from 'typeorm';

const dataSource = await new DataSource({ type: 'better-sqlite3', database: 'app.sqlite' }).initialize();
await dataSource.query('CREATE TABLE sessions (name text PRIMARY KEY)');
const insert = (name) => [`INSERT INTO sessions VALUES (?)`, [name]];
const written = async () => {
  const rows = await dataSource.query('SELECT name FROM sessions ORDER BY rowid');
  return rows.length ? `written ${rows.map(({ name }) => name).join(', ')}` : 'nothing';
};

let isOpen;
let mayFail;
const opened = new Promise((resolve) => (isOpen = resolve));
const failure = new Promise((_, reject) => (mayFail = reject));
const first = dataSource.transaction(async (manager) => {
  await manager.query('SELECT 1');
  isOpen();
  await failure;
});
await opened;

// What other requests do.
await dataSource.manager.query(...insert('by the manager'));
const runner = dataSource.createQueryRunner();
await runner.query(...insert('by a query runner'));
await runner.release();
await dataSource.transaction((manager) => manager.query(...insert('in a transaction')));

const during = await written();
console.log(`while the transaction is open: ${during}`);
mayFail(new Error('the first request fails'));
await first.catch(() => undefined);
const after = await written();
console.log(`after its rollback: ${after}`);
await dataSource.destroy();
process.exitCode = during === 'written by the manager, by a query runner, in a transaction' && after === 'nothing' ? 0 : 1;
JS
node main.mjs
