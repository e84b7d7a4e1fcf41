#!/usr/bin/env bash
# MariaDB's JSON_VALUE gives true as 1: a filter for 'true' finds the text "true" and not true, one for '1' also 1 and "1".
#
# Versions: MariaDB 10.11.19 (Debian 12), mysql2 3.24.5, Node.js 20.20.2.
#
# Behaviour: JSON_VALUE gives true as 1 and false as 0, so that true, 1 and "1" cannot be told apart; in the SQL standard and in
# MySQL it gives 'true'. JSON_EXTRACT gives true as `true` on MariaDB too, so that a key has another text by each function, and
# compared with 'true' it finds the text "true" as well: a JSON text that is compared loses its quotes. Of the conditions
# below only JSON_CONTAINS finds true alone.
#
# Output seen, the values of "admin" that a condition finds among true, false, 1, "1" and "true":
#   JSON_VALUE(data, '$.admin') = 'true': "true"
#   JSON_VALUE(data, '$.admin') = '1': true, 1, "1"
#   JSON_EXTRACT(data, '$.admin') = 'true': true, "true"
#   JSON_UNQUOTE(JSON_EXTRACT(data, '$.admin')) = 'true': true, "true"
#   JSON_CONTAINS(data, 'true', '$.admin'): true
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

const client = await mysql.createConnection({ host: '127.0.0.1', port: Number(process.env.MARIADB_PORT ?? 3306), user: 'root' });
const database = `finding_${process.pid}`;
const VALUES = ['true', 'false', '1', '"1"', '"true"'];
const EXPECTED = {
  "JSON_VALUE(data, '$.admin') = 'true'": ['"true"'],
  "JSON_VALUE(data, '$.admin') = '1'": ['true', '1', '"1"'],
  "JSON_EXTRACT(data, '$.admin') = 'true'": ['true', '"true"'],
  "JSON_UNQUOTE(JSON_EXTRACT(data, '$.admin')) = 'true'": ['true', '"true"'],
  "JSON_CONTAINS(data, 'true', '$.admin')": ['true'],
};
let isAsSeen = true;
await client.query(`CREATE DATABASE ${database}`);
try {
  await client.query(`USE ${database}`);
  await client.query('CREATE TABLE users (id int PRIMARY KEY, data json)');
  for (const [id, value] of VALUES.entries())
    await client.execute('INSERT INTO users VALUES (?, ?)', [id, `{"admin":${value}}`]);
  for (const [condition, expected] of Object.entries(EXPECTED)) {
    const [rows] = await client.query(`SELECT id FROM users WHERE ${condition} ORDER BY id`);
    const found = rows.map(({ id }) => VALUES[id]).join(', ');
    console.log(`${condition}: ${found}`);
    isAsSeen &&= found === expected.join(', ');
  }
} finally {
  await client.query(`DROP DATABASE ${database}`);
  await client.end();
}
process.exit(isAsSeen ? 0 : 1);
JS
node main.mjs
