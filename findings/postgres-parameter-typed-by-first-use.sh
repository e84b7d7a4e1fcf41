#!/usr/bin/env bash
# Two conditions joined by AND find other rows of PostgreSQL when they change places, if they share a parameter.
#
# Versions: PostgreSQL 15.20 (Debian 12), pg 8.23.1, Node.js 20.20.2.
#
# Behaviour: pg sends parameters without a type, and PostgreSQL gives each number one type for the whole statement, by its first
# use in the text. In `at > $1 AND day = $1::date` the parameter is a timestamptz that the cast turns into its day. In
# `day = $1::date AND at > $1` it is a date from the beginning: the time of the same value is cut off without an error, and the
# other condition compares with midnight. A cast names the type of the parameter, not of the expression. With a cast at each use
# the order still decides; two parameters, or `$1::timestamptz::date`, do not depend on it.
#
# Output seen, for a row of 12:00 and a parameter of 18:00 of the same day:
#   at > $1 AND day = $1::date                 0 rows
#   day = $1::date AND at > $1                 1 row
#   day = $1::date AND at > $1::timestamptz    1 row
#   day = $1::timestamptz::date AND at > $1    0 rows
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
await client.query(`SET timezone = 'UTC'`);
await client.query('CREATE TEMPORARY TABLE logins (day date, at timestamptz)');
await client.query(`INSERT INTO logins VALUES ('2026-01-05', '2026-01-05 12:00:00Z')`);
const seen = [];
for (const condition of [
  'at > $1 AND day = $1::date',
  'day = $1::date AND at > $1',
  'day = $1::date AND at > $1::timestamptz',
  'day = $1::timestamptz::date AND at > $1',
]) {
  const { rows } = await client.query(`SELECT FROM logins WHERE ${condition}`, ['2026-01-05 18:00:00Z']);
  seen.push(rows.length);
  console.log(`${condition.padEnd(42)} ${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`);
}
await client.end();
process.exit(seen.join() === '0,1,1,0' ? 0 : 1);
JS
node main.mjs
