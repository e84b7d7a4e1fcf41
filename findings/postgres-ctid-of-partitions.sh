#!/usr/bin/env bash
# PostgreSQL's usual way to delete a batch, by `ctid`, deletes other rows than it has chosen where the table is partitioned.
#
# Versions: PostgreSQL 15.20 (Debian 12), pg 8.23.1, Node.js 20.20.2.
#
# Behaviour: DELETE has no LIMIT, so batches are deleted by `WHERE ctid IN (SELECT ctid … LIMIT n)`. A ctid is the place of a row
# in its own file, and each partition is a file of its own: the same ctid occurs once in each. On a partitioned table the
# statement deletes the chosen rows and, without an error, those at the same places of all other partitions: rows for which the
# inner condition does not hold, and more than n. With `(tableoid, ctid)` in place of `ctid` it deletes what it has chosen.
#
# Output seen: of 40 expired and 40 valid rows in four partitions, "10 expired at most" deleted
#   by ctid:             38 rows, 12 of them valid
#   by tableoid, ctid:   10 rows, 0 of them valid
#
# Needs PostgreSQL at 127.0.0.1:5432 that lets the user postgres in without a password (PGPORT: another port). Exits with 1
# where it behaves otherwise; how many rows are deleted depends on the hash of the keys.
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

async function deletedBy(place) {
  await client.query('CREATE TEMPORARY TABLE kept (id integer, is_expired boolean) PARTITION BY HASH (id)');
  for (const part of [0, 1, 2, 3])
    await client.query(`CREATE TEMPORARY TABLE kept_${part} PARTITION OF kept FOR VALUES WITH (MODULUS 4, REMAINDER ${part})`);
  await client.query('INSERT INTO kept SELECT n, n <= 40 FROM generate_series(1, 80) n ORDER BY n % 2, n');
  const chosen = `SELECT ${place} FROM kept WHERE is_expired LIMIT 10`;
  const { rows } = await client.query(`DELETE FROM kept WHERE (${place}) IN (${chosen}) RETURNING is_expired`);
  await client.query('DROP TABLE kept');
  return { rows: rows.length, valid: rows.filter((row) => !row.is_expired).length };
}

const byCtid = await deletedBy('ctid');
const byBoth = await deletedBy('tableoid, ctid');
await client.end();
console.log(`by ctid:             ${byCtid.rows} rows, ${byCtid.valid} of them valid`);
console.log(`by tableoid, ctid:   ${byBoth.rows} rows, ${byBoth.valid} of them valid`);
process.exit(byCtid.rows > 10 && byCtid.valid > 0 && byBoth.rows === 10 && byBoth.valid === 0 ? 0 : 1);
JS
node main.mjs
