#!/usr/bin/env bash
# mysql2 calls MariaDB's own errors by the names that MySQL has given to the same numbers: a failed CHECK is about InnoDB's autoextend size.
#
# Versions: MariaDB 10.11.19 (Debian 12), mysql2 3.24.6, Node.js 20.20.2.
#
# Behaviour: the server sends a number, a SQLSTATE and a message, but no name. mysql2 looks `code` up in one list, which is that of
# MySQL. From 4000 on both servers number their newer errors by themselves, so on MariaDB `code` is a name of something else: it
# has no ER_CHECK_CONSTRAINT_VIOLATED, by which a handler of errors would tell a failed CHECK from an outage. `errno` and the
# message are right.
#
# Output seen:
#   a failed CHECK: 4025 ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE, CONSTRAINT `t.n` failed
#   JSON nested too deeply: 4040 ER_ANONYMOUS_TO_GTID_UUID_SAME_AS_VIEW_CHANGE_UUID, Limit of 32 on JSON nested structures
#   an unknown sequence: 4091 ER_XA_TEMP_TABLE, Unknown SEQUENCE: 'none'
#   a table that is missing: 1146 ER_NO_SUCH_TABLE, Table 'finding.none' doesn't exist
#
# Needs MariaDB at 127.0.0.1:3306 that lets the user root in without a password (MARIADB_PORT: another port). Exits with 1 where
# it behaves otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund mysql2@3.24.6 >/dev/null

cat >main.mjs <<'JS'
import mysql from 'mysql2/promise';

const client = await mysql.createConnection({ host: '127.0.0.1', port: Number(process.env.MARIADB_PORT ?? 3306), user: 'root' });
const database = `finding_${process.pid}`;
const deep = `${'['.repeat(40)}1${']'.repeat(40)}`;
const seen = [];

await client.query(`CREATE DATABASE ${database}`);
try {
  await client.query(`USE ${database}`);
  await client.query("SET sql_mode = 'STRICT_ALL_TABLES'");
  await client.query('CREATE TABLE t (n int CHECK (n > 0), j json)');
  await client.query('INSERT INTO t VALUES (1, NULL)');
  for (const [what, sql, values] of [
    ['a failed CHECK', 'INSERT INTO t VALUES (0, NULL)'],
    ['JSON nested too deeply', "UPDATE t SET j = JSON_SET('{}', '$.a', JSON_EXTRACT(?, '$'))", [deep]],
    ['an unknown sequence', 'SELECT NEXT VALUE FOR none'],
    ['a table that is missing', 'SELECT * FROM none'],
  ]) {
    const { errno, code, message } = await client.query(sql, values).catch((error) => error);
    const [text] = message.replaceAll(database, 'finding').split(/ for | depth/);
    console.log(`${what}: ${errno} ${code}, ${text}`);
    seen.push(`${errno} ${code}`);
  }
  const expected = [
    '4025 ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE',
    '4040 ER_ANONYMOUS_TO_GTID_UUID_SAME_AS_VIEW_CHANGE_UUID',
    '4091 ER_XA_TEMP_TABLE',
    '1146 ER_NO_SUCH_TABLE',
  ];
  process.exitCode = seen.join() === expected.join() ? 0 : 1;
} finally {
  await client.query(`DROP DATABASE ${database}`);
  await client.end();
}
JS
node main.mjs
