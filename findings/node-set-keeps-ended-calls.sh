#!/usr/bin/env bash
# A Set that has grown old keeps what was deleted from it: all that passes through it is moved to the old generation.
#
# Versions: Node.js 20.20.2 and 24.21.0, of the npm package `node`.
#
# Behaviour: a program keeps its calls in a Set while they are under way, at most 17 at a time, and deletes each when it ends.
# V8 replaces the table of a Set when deleted entries have filled it. The old table, which still refers to its entries,
# points to the new one, for iterators. Once a single table has reached the old generation, where only a full collection frees it,
# each scavenge finds the whole chain behind it alive, with every entry that it has ever had: short-lived objects are copied,
# promoted, and wait for a full collection. The same calls in an array leave nothing behind. A profile shows only time in
# the garbage collector.
#
# Output seen (the first number of each line differs from run to run, 5 to 20):
#   20.20.2: megabytes in the old generation after 40,000 ended calls: 5 by a Set, 0 by an array
#   24.21.0: megabytes in the old generation after 40,000 ended calls: 14 by a Set, 0 by an array
#
# Exits with 1 where it behaves otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >main.mjs <<'JS'
import v8 from 'node:v8';

const oldBytes = () => v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space').space_used_size;
const ways = {
  Set: () => {
    const all = new Set();
    return { add: (call) => all.add(call), delete: (call) => all.delete(call) };
  },
  array: () => {
    const all = [];
    return { add: (call) => all.push(call), delete: (call) => all.splice(all.indexOf(call), 1) };
  },
};

const underWay = ways[process.argv[2]]();
// It grows as old as in a service that has run for a second.
for (let i = 0; i < 3; i++) globalThis.gc();
const before = oldBytes();
const open = [];
for (let i = 0; i < 40_000; i++) {
  const call = { payload: new Array(100).fill(i) };
  underWay.add(call);
  if (open.push(call) > 16) underWay.delete(open.shift());
}
console.log(Math.round((oldBytes() - before) / 2 ** 20));
JS

status=0
for version in 20.20.2 24.21.0; do
  npm install --silent --no-audit --no-fund --prefix "$version" "node@$version" >/dev/null
  node=$version/node_modules/node/bin/node
  by_set=$("$node" --expose-gc main.mjs Set)
  by_array=$("$node" --expose-gc main.mjs array)
  echo "$version: megabytes in the old generation after 40,000 ended calls: $by_set by a Set, $by_array by an array"
  [ "$by_set" -ge 2 ] && [ "$by_array" -le 1 ] || status=1
done
exit $status
