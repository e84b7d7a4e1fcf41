#!/usr/bin/env bash
# A range of ids by their first digit, on a column of MariaDB's type uuid, holds ids that begin with any digit.
#
# Versions: MariaDB 10.11.19 (Debian 12), mysql2 3.24.6, Node.js 20.20.2.
#
# Behaviour: work on a table of random ids (UUIDv4) is cut into sixteen ranges by the first digit, `id >= '3…' AND id < '4…'`, each
# bound with zeros behind its digit. In a char(36) each range holds the ids that begin with its digit. In a column of the type uuid
# each id is in exactly one range as well, and the ranges are of about one size, so that nothing seems wrong; but an id is in the
# range of the first digit of its *last* group. MariaDB keeps and compares ids of the versions 1 to 5 with their last group first,
# and all others, such as a bound of zeros, as they stand. So ORDER BY, MAX and a cursor by `id > ?` have another order than the
# text that the driver returns: pages of two tables cannot be merged by comparing ids in the program, and a shard that the
# program chooses by the first digit is not the range of the query.
#
# Output seen (the shares of what is random differ from run to run):
#   char(36): 1600 ids in one range each, 1600 in that of their first digit, 101 in that of the last group's
#   char(36): ordered as text
#   uuid: 1600 ids in one range each, 97 in that of their first digit, 1600 in that of the last group's
#   uuid: not ordered as text
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
import { randomUUID } from 'node:crypto';
import mysql from 'mysql2/promise';

const DIGITS = [...'0123456789abcdef'];
const random = Array.from({ length: 1600 }, () => randomUUID());
const bound = (digit) => `${digit}0000000-0000-0000-0000-000000000000`;

const client = await mysql.createConnection({ host: '127.0.0.1', port: Number(process.env.MARIADB_PORT ?? 3306), user: 'root' });
const database = `finding_${process.pid}`;
await client.query(`CREATE DATABASE ${database}`);
await client.query(`USE ${database}`);

async function look(type) {
  await client.query(`CREATE OR REPLACE TABLE ids (id ${type} PRIMARY KEY)`);
  await client.query('INSERT INTO ids VALUES ?', [random.map((id) => [id])]);
  const found = { once: new Set(), all: 0, first: 0, last: 0 };
  for (const [i, digit] of DIGITS.entries()) {
    const next = DIGITS[i + 1];
    const [rows] = next
      ? await client.execute('SELECT id FROM ids WHERE id >= ? AND id < ?', [bound(digit), bound(next)])
      : await client.execute('SELECT id FROM ids WHERE id >= ?', [bound(digit)]);
    for (const { id } of rows) {
      found.all++;
      found.once.add(id);
      if (id[0] === digit) found.first++;
      if (id.at(-12) === digit) found.last++;
    }
  }
  const [rows] = await client.query('SELECT id FROM ids ORDER BY id');
  const ordered = rows.map(({ id }) => id);
  const asText = ordered.join() === [...ordered].sort().join();
  const inOne = found.once.size === found.all ? found.all : NaN;
  console.log(`${type}: ${inOne} ids in one range each, ${found.first} in that of their first digit, ${found.last} in that of the last group's`);
  console.log(`${type}: ${asText ? '' : 'not '}ordered as text`);
  return { inOne, asText, ...found };
}

try {
  const [text, uuid] = [await look('char(36)'), await look('uuid')];
  const asSeen =
    text.inOne === 1600 && text.first === 1600 && text.last < 400 && text.asText &&
    uuid.inOne === 1600 && uuid.last === 1600 && uuid.first < 400 && !uuid.asText;
  process.exitCode = asSeen ? 0 : 1;
} finally {
  await client.query(`DROP DATABASE ${database}`);
  await client.end();
}
JS
node main.mjs
