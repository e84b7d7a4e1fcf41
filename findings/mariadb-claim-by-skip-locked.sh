#!/usr/bin/env bash
# The usual statement that takes free jobs, `UPDATE … WHERE id IN (SELECT … FOR UPDATE SKIP LOCKED)`, waits for every held one on MariaDB.
#
# Versions: MariaDB 10.11.19 (Debian 12), mysql2 3.24.5, Node.js 20.20.2.
#
# Behaviour: workers take rows of a table of jobs that no other worker holds, as they do on PostgreSQL: one UPDATE (or DELETE) of the
# ids that a subquery picks with LIMIT and SKIP LOCKED. The subquery alone leaves out the row that another transaction holds, and
# answers at once. In the UPDATE it leaves it out, too; but MariaDB runs the UPDATE as a scan of the whole table, which asks
# the subquery about each row, and locks each row before it asks. So the statement waits for rows that it never wanted, and
# fails by `innodb_lock_wait_timeout`: one worker at a time works, and each locks all jobs. This happens although the condition is on
# the primary key, and also with `= (SELECT … LIMIT 1)` and for DELETE. If the same subquery is joined to the table, it is read
# first, and only the rows that it picked are locked.
#
# Output seen (of ten thousand rows another transaction holds one; a lock is waited for for a second):
#   SELECT … SKIP LOCKED: at once, 5 rows
#   UPDATE … WHERE id IN (SELECT … SKIP LOCKED): Lock wait timeout exceeded
#   UPDATE … WHERE id = (SELECT … SKIP LOCKED): Lock wait timeout exceeded
#   DELETE … WHERE id IN (SELECT … SKIP LOCKED): Lock wait timeout exceeded
#   UPDATE … JOIN (SELECT … SKIP LOCKED): at once, 5 rows
#
# Needs MariaDB at 127.0.0.1:3306 that lets the user root in without a password (MARIADB_PORT: another port). Exits with 1 where
# it behaves otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund mysql2@3.24.5 >/dev/null

cat >main.mjs <<'JS'
import mysql from 'mysql2/promise';

const connect = () => mysql.createConnection({ host: '127.0.0.1', port: Number(process.env.MARIADB_PORT ?? 3306), user: 'root' });
const [other, worker] = [await connect(), await connect()];
const database = `finding_${process.pid}`;
const picked = (count) => `SELECT id FROM jobs WHERE taken = 0 ORDER BY id LIMIT ${count} FOR UPDATE SKIP LOCKED`;
// MariaDB lets no statement change the table of its own subquery, unless that is a derived table.
const STATEMENTS = {
  'SELECT … SKIP LOCKED': picked(5),
  'UPDATE … WHERE id IN (SELECT … SKIP LOCKED)': `UPDATE jobs SET taken = 1 WHERE id IN (SELECT id FROM (${picked(5)}) free)`,
  'UPDATE … WHERE id = (SELECT … SKIP LOCKED)': `UPDATE jobs SET taken = 1 WHERE id = (SELECT id FROM (${picked(1)}) free)`,
  'DELETE … WHERE id IN (SELECT … SKIP LOCKED)': `DELETE FROM jobs WHERE id IN (SELECT id FROM (${picked(5)}) free)`,
  'UPDATE … JOIN (SELECT … SKIP LOCKED)': `UPDATE jobs JOIN (${picked(5)}) free ON free.id = jobs.id SET jobs.taken = 1`,
};

async function outcome(sql) {
  try {
    const [answer] = await worker.query(sql);
    return `at once, ${answer.affectedRows ?? answer.length} rows`;
  } catch (error) {
    if (error.errno !== 1205) throw error;
    return error.message.split(';')[0];
  }
}

await other.query(`CREATE DATABASE ${database}`);
try {
  for (const one of [other, worker]) await one.query(`USE ${database}`);
  await other.query('CREATE TABLE jobs (id int PRIMARY KEY, taken int NOT NULL) ENGINE=InnoDB');
  await other.query('INSERT INTO jobs SELECT seq, 0 FROM seq_1_to_10000');
  await other.query('ANALYZE TABLE jobs');
  await worker.query('SET innodb_lock_wait_timeout = 1');
  await other.query('BEGIN');
  await other.query('UPDATE jobs SET taken = 1 WHERE id = 5000');
  const outcomes = [];
  for (const [name, sql] of Object.entries(STATEMENTS)) {
    const seen = await outcome(sql);
    outcomes.push(seen);
    console.log(`${name}: ${seen}`);
  }
  const waited = 'Lock wait timeout exceeded';
  const expected = ['at once, 5 rows', waited, waited, waited, 'at once, 5 rows'];
  process.exitCode = outcomes.join() === expected.join() ? 0 : 1;
} finally {
  await other.query('ROLLBACK');
  await other.query(`DROP DATABASE ${database}`);
  await Promise.all([other.end(), worker.end()]);
}
JS
node main.mjs
