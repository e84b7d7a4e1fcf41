#!/usr/bin/env bash
# A self-test of LISTEN passes behind a transaction pooler where nothing that others send ever arrives.
#
# Versions: PgBouncer 1.18.0 (Debian 12), PostgreSQL 15.20, pg 8.23.1, Node.js 20.20.2.
#
# Behaviour: with `pool_mode = transaction` a client that listens, and then sends itself a message to see whether listening works, hears
# it: the connection to the server on which the message is sent is, by the order of the pool, the one that listens, and
# PostgreSQL delivers before it says that it is ready for the next statement. As soon as the answer is there the client has no connection
# to the server any more. So of twelve messages that another client sends it hears none, without an error, whatever it waits.
# With `pool_mode = session` it hears all thirteen. PgBouncer documents that LISTEN needs session pooling; what nobody
# would guess is that the client cannot tell by hearing itself. Only a message sent on another connection tells.
#
# Output seen:
#   transaction: heard itself, and 0 of 12 messages of another client
#   session: heard itself, and 12 of 12 messages of another client
#
# Needs Debian's package pgbouncer, and PostgreSQL at 127.0.0.1:5432 that lets the user postgres in without a password
# (PGPORT: another port). Exits with 1 where the output is another one.
set -euo pipefail

folder=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund pg@8.23.1 >/dev/null

PATH=$PATH:/usr/sbin
# It refuses to run as root.
as_nobody=()
[ "$(id -u)" -ne 0 ] || as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
port=43710
for mode in transaction session; do
  port=$((port + 1))
  cat >"$mode.ini" <<INI
[databases]
postgres = host=127.0.0.1 port=${PGPORT:-5432} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = $mode
INI
  "${as_nobody[@]}" pgbouncer -q "$folder/$mode.ini" >/dev/null 2>&1 &
  pids+=($!)
done
sleep 1

cat >listen.mjs <<'JS'
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';

async function open(port) {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  await client.connect();
  return client;
}

const send = (client, text) => client.query("SELECT pg_notify('finding', $1)", [text]);

for (const [mode, port] of [['transaction', 43711], ['session', 43712]]) {
  const [listener, other] = [await open(port), await open(Number(process.env.PGPORT ?? 5432))];
  const heard = [];
  listener.on('notification', ({ payload }) => heard.push(payload));
  await listener.query('LISTEN finding');
  await send(listener, 'itself');
  for (let i = 0; i < 12; i++) {
    await send(other, 'another');
    await setTimeout(50);
  }
  const itself = heard.includes('itself') ? 'heard itself' : 'did not hear itself';
  const others = heard.filter((text) => text === 'another').length;
  console.log(`${mode}: ${itself}, and ${others} of 12 messages of another client`);
  await listener.end();
  await other.end();
}
JS

expected='transaction: heard itself, and 0 of 12 messages of another client
session: heard itself, and 12 of 12 messages of another client'
seen=$(node listen.mjs)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ]
