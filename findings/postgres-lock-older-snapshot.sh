#!/usr/bin/env bash
# A statement of PostgreSQL that takes an advisory lock and then counts does not see what was committed while it waited for the lock.
#
# Versions: PostgreSQL 15.20 (Debian 12), pg 8.23.1, Node.js 20.20.2.
#
# Behaviour: "at most one row for each owner" by one statement: a CTE takes pg_advisory_xact_lock, and the rest, which reads that
# CTE, counts and inserts. All of them take turns. But under READ COMMITTED a statement sees what was committed before it began,
# and it began before it waited: its turn comes when the other's row is committed, and it does not count it. The limit is
# exceeded although nobody counted at the same time as another. With the lock as a statement of its own before, in the same
# transaction, the count is right.
#
# Output seen:
#   the lock in the statement that counts: 2 rows, 1 allowed
#   the lock in a statement before it:     1 row, 1 allowed
#
# Needs PostgreSQL at 127.0.0.1:5432 that lets the user postgres in without a password (PGPORT: another port). Exits with 1
# where it behaves otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund pg@8.23.1 >/dev/null

cat >main.mjs <<'JS'
import pg from 'pg';

const connect = async () => {
  const client = new pg.Client({ host: '127.0.0.1', port: Number(process.env.PGPORT ?? 5432), user: 'postgres', database: 'postgres' });
  await client.connect();
  return client;
};
const [first, second, observer] = [await connect(), await connect(), await connect()];
const KEY = 7_301_944;
const LOCK = `SELECT pg_advisory_xact_lock(${KEY})`;
await observer.query('DROP TABLE IF EXISTS finding_slots');
await observer.query('CREATE TABLE finding_slots (owner text)');

/** Returns when somebody waits for the lock. */
async function somebodyWaits() {
  const waiting = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = ${KEY} AND NOT granted`;
  for (;;) if ((await observer.query(waiting)).rows.length > 0) return;
}

async function rowsAfter(take) {
  await observer.query('TRUNCATE finding_slots');
  await first.query('BEGIN');
  await take(first);
  await second.query('BEGIN');
  const taken = take(second);
  await somebodyWaits();
  await first.query('COMMIT');
  await taken;
  await second.query('COMMIT');
  return (await observer.query('SELECT FROM finding_slots')).rows.length;
}

const INSERT = `INSERT INTO finding_slots SELECT 'ada' WHERE (SELECT count(*) FROM finding_slots WHERE owner = 'ada') < 1`;
const together = await rowsAfter((client) => client.query(`WITH lock AS MATERIALIZED (${LOCK}) ${INSERT} AND EXISTS (SELECT FROM lock)`));
const apart = await rowsAfter(async (client) => {
  await client.query(LOCK);
  await client.query(INSERT);
});
await observer.query('DROP TABLE finding_slots');
for (const client of [first, second, observer]) await client.end();
console.log(`the lock in the statement that counts: ${together} rows, 1 allowed`);
console.log(`the lock in a statement before it:     ${apart} row, 1 allowed`);
process.exit(together === 2 && apart === 1 ? 0 : 1);
JS
node main.mjs
