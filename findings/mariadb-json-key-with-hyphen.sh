#!/usr/bin/env bash
# MariaDB finds no JSON key that begins with a hyphen, though it is quoted, and JSON_SET of one gives NULL for the whole document.
#
# Versions: MariaDB 10.11.19 (Debian 12), mysql2 3.24.5, Node.js 20.20.2.
#
# Behaviour: `$."-beta"` is a path to a key in double quotes, as programs write it for any key. MariaDB takes the hyphen for
# that of a range of an array, in quotes too, and only as the first character: `$."a-b"` is found. The functions then give NULL
# with a warning 4042, no error. So JSON_VALUE says that there is no such key, a filter by it finds no row, and JSON_SET,
# JSON_REMOVE and JSON_INSERT give NULL in place of the whole document. An UPDATE is refused where the server is strict, by an
# error that mysql2 calls by the name of another one; where `sql_mode` is not strict, a change of one key, such as a feature flag
# "-beta" in the data of a session, leaves NULL of all the others. Written as `$."\u002dbeta"` the key is found, read and set.
#
# Output seen:
#   JSON_VALUE by $."-beta": null
#   JSON_VALUE by $."a-b": 2
#   JSON_VALUE by $."\u002dbeta": 1
#   strict, UPDATE by JSON_SET of $."-beta": error 4042, ER_WARN_ADUIT_LOG_MAX_SIZE_AND_PRUNE_SECONDS
#   strict, UPDATE by JSON_SET of $."\u002dbeta": {"-beta": 3, "a-b": 2}
#   not strict, UPDATE by JSON_SET of $."-beta": null
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
const DOCUMENT = '{"-beta":1,"a-b":2}';
const [plain, inside, escaped] = ['$."-beta"', '$."a-b"', String.raw`$."\u002dbeta"`];
const lines = [];
const say = (line) => {
  lines.push(line);
  console.log(line);
};

await client.query(`CREATE DATABASE ${database}`);
try {
  await client.query(`USE ${database}`);
  await client.query('CREATE TABLE sessions (id int PRIMARY KEY, data json)');
  for (const path of [plain, inside, escaped]) {
    const [[{ value }]] = await client.execute('SELECT JSON_VALUE(?, ?) AS value', [DOCUMENT, path]);
    say(`JSON_VALUE by ${path}: ${value}`);
  }
  const changed = async (path) => {
    await client.execute('REPLACE INTO sessions VALUES (1, ?)', [DOCUMENT]);
    try {
      await client.execute('UPDATE sessions SET data = JSON_SET(data, ?, 3)', [path]);
    } catch ({ errno, code }) {
      return `error ${errno}, ${code}`;
    }
    const [[{ document }]] = await client.query('SELECT CAST(data AS char) AS document FROM sessions');
    return document;
  };
  await client.query("SET sql_mode = 'STRICT_ALL_TABLES'");
  for (const path of [plain, escaped]) say(`strict, UPDATE by JSON_SET of ${path}: ${await changed(path)}`);
  await client.query("SET sql_mode = ''");
  say(`not strict, UPDATE by JSON_SET of ${plain}: ${await changed(plain)}`);
  const expected = [
    'JSON_VALUE by $."-beta": null',
    'JSON_VALUE by $."a-b": 2',
    String.raw`JSON_VALUE by $."\u002dbeta": 1`,
    'strict, UPDATE by JSON_SET of $."-beta": error 4042, ER_WARN_ADUIT_LOG_MAX_SIZE_AND_PRUNE_SECONDS',
    String.raw`strict, UPDATE by JSON_SET of $."\u002dbeta": {"-beta": 3, "a-b": 2}`,
    'not strict, UPDATE by JSON_SET of $."-beta": null',
  ];
  process.exitCode = lines.join() === expected.join() ? 0 : 1;
} finally {
  await client.query(`DROP DATABASE ${database}`);
  await client.end();
}
JS
node main.mjs
