#!/usr/bin/env bash
# ts-node's loader of ES modules takes the shorter of two export patterns, so that nothing of Nest 12 can be imported by it.
#
# Versions: ts-node 10.9.2, @nestjs/core 12.5.1, typeorm 1.1.1, TypeScript 6.0.3, Node.js 20.20.2.
#
# Behaviour: Nest 12 exports "./*.js" and "./*", both as "./*.js". Of two patterns that match, Node.js takes the one with the longer
# text before its star, and of two that are alike there the longer one, so that '@nestjs/common/constants.js' is the file constants.js. ts-node
# brings a copy of Node's resolution from before that rule: it takes "./*", and looks for constants.js.js. Nest's own packages
# import each other in this way, so `typeorm-ts-node-esm`, which the documentation of TypeORM names for data sources in
# TypeScript, fails as soon as one of its entities leads to Nest. The error names files that nobody has asked for.
#
# Output seen:
#   node: the file of the longer pattern
#   ts-node/esm: Cannot find module 'thing.js.js'
#
# Exits with 1 where Node.js does not find the file, or ts-node does.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ts-node@10.9.2 typescript@6.0.3 >/dev/null

mkdir -p node_modules/patterns
cat >node_modules/patterns/package.json <<'JSON'
{ "name": "patterns", "type": "module", "exports": { "./*.js": "./*.js", "./*": "./*.js" } }
JSON
echo "export const found = 'the file of the longer pattern';" >node_modules/patterns/thing.js
echo "import { found } from 'patterns/thing.js'; console.log(found);" >main.mjs

echo "node: $(node main.mjs)"
status=0
output=$(node --no-warnings --loader ts-node/esm main.mjs 2>&1) || status=$?
missing=$(grep -o "[a-z]*\.js\.js" <<<"$output" | head -1 || true)
if [ -n "$missing" ]; then output="Cannot find module '$missing'"; fi
echo "ts-node/esm: $output"
[ "$status" -ne 0 ] && [ "$missing" = thing.js.js ]
