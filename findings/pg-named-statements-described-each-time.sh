#!/usr/bin/env bash
# pg has PostgreSQL describe the columns of a named statement at each execution, though they cannot change: more bytes than the row.
#
# Versions: PostgreSQL 15.20 (Debian 12), pg 8.23.1, Node.js 20.20.2.
#
# Behaviour: a query of pg with a `name` is parsed once on a connection, and one expects that the server then sends rows only.
# pg also sends a Describe each time, so that each answer begins with the name, table, type and size of every column, and pg
# parses all of that and looks up the parser of each column again. PostgreSQL itself refuses a prepared statement whose columns
# have changed ("cached plan must not change result type"), so each description is equal to the first one. For a row of 16
# columns found by its key, two thirds of what the server sends are this description.
#
# Output seen:
#   100 executions: parsed 1 time, described 100 times
#   bytes of an answer: 659, of the description: 445
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

const client = new pg.Client({ host: '127.0.0.1', port: Number(process.env.PGPORT ?? 5432), user: 'postgres', database: 'postgres' });
await client.connect();
const columns = Array.from({ length: 16 }, (_, i) => `'value ${i}'::text AS column_${i}`);
await client.query(`CREATE TEMPORARY TABLE wide AS SELECT 1 AS id, ${columns.join(', ')}`);
const names = columns.map((_, i) => `column_${i}`);
const query = { name: 'by key', text: `SELECT ${names.join(', ')} FROM wide WHERE id = $1`, values: [1] };

const { connection } = client;
const times = { parseComplete: 0, rowDescription: 0 };
let described = 0;
connection.on('parseComplete', () => times.parseComplete++);
connection.on('rowDescription', ({ length }) => {
  times.rowDescription++;
  // The length leaves out the byte of the message's type.
  described = length + 1;
});

await client.query(query);
const before = connection.stream.bytesRead;
for (let i = 1; i < 100; i++) await client.query(query);
const bytes = (connection.stream.bytesRead - before) / 99;
await client.end();
console.log(`100 executions: parsed ${times.parseComplete} time, described ${times.rowDescription} times`);
console.log(`bytes of an answer: ${bytes}, of the description: ${described}`);
process.exit(times.parseComplete === 1 && times.rowDescription === 100 && described > bytes / 2 ? 0 : 1);
JS
node main.mjs
