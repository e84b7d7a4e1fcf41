#!/usr/bin/env bash
# A prepared comparison with CAST(? AS UNSIGNED) finds no number from 2^63 on in MySQL, where the same statement unprepared does.
#
# Versions: MySQL 9.7.4 (Debian unstable), mysql2 3.24.6, Node.js 20.20.2.
#
# Behaviour: ids of `bigint unsigned` are bound as text, since doubles do not hold them, and cast, since MySQL compares a number with
# text as doubles. With `query` of mysql2, which writes the text into the statement, all of them are found. With `execute`, which
# prepares it, the row of 9223372036854775808 is not found, without an error or a warning, and in an UPDATE the same expression
# is error 1292, "Truncated incorrect DECIMAL value". MySQL takes the placeholder for a number with a sign, because of the CAST
# around it, and converts the text to that before it casts. Below 2^63, and so in any table whose keys count up from one,
# nothing is wrong. A CAST in between, which makes the placeholder text, finds the row.
#
# Output seen:
#   query, CAST(? AS UNSIGNED): 1 row, update: done
#   execute, CAST(? AS UNSIGNED): 0 rows, update: error 1292
#   execute, CAST(CAST(? AS CHAR) AS UNSIGNED): 1 row, update: done
#
# Needs MySQL at 127.0.0.1:3307 that lets the user root in without a password (MYSQL_PORT: another port). Exits with 1 where it
# behaves otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund mysql2@3.24.6 >/dev/null

cat >main.mjs <<'JS'
import mysql from 'mysql2/promise';

const client = await mysql.createConnection({ host: '127.0.0.1', port: Number(process.env.MYSQL_PORT ?? 3307), user: 'root' });
const database = `finding_${process.pid}`;
await client.query(`CREATE DATABASE ${database}`);
await client.query(`USE ${database}`);
const found = [];

try {
  await client.query('CREATE TABLE things (id bigint unsigned PRIMARY KEY, other bigint unsigned)');
  await client.query('INSERT INTO things (id) VALUES (9223372036854775808)');
  const plain = 'CAST(? AS UNSIGNED)';
  for (const [how, cast] of [['query', plain], ['execute', plain], ['execute', 'CAST(CAST(? AS CHAR) AS UNSIGNED)']]) {
    const [rows] = await client[how](`SELECT id FROM things WHERE id = ${cast}`, ['9223372036854775808']);
    const update = await client[how](`UPDATE things SET other = ${cast}`, ['9223372036854775808'])
      .then(() => 'done', ({ errno }) => `error ${errno}`);
    console.log(`${how}, ${cast}: ${rows.length} row${rows.length === 1 ? '' : 's'}, update: ${update}`);
    found.push(rows.length, update);
  }
  process.exitCode = found.join() === '1,done,0,error 1292,1,done' ? 0 : 1;
} finally {
  await client.query(`DROP DATABASE ${database}`);
  await client.end();
}
JS
node main.mjs
