#!/usr/bin/env bash
# On SQLite, a row of TypeORM is not found by its own creation date, and is earlier than itself.
#
# Versions: typeorm 1.1.1, better-sqlite3 12.11.1 (SQLite 3.53), Node.js 20.20.2.
#
# Behaviour: a column with `createDate` (@CreateDateColumn) is filled by the database's datetime('now'), text without a
# fraction of a second. A Date in a condition is written with milliseconds, ".000" if it has none. SQLite compares the two as
# text, and a text is less than one that it begins. So the Date that TypeORM itself has read from a row finds it neither by
# equality nor by MoreThanOrEqual, and LessThan does find it: a page that ends at a row begins with it again, and an
# "unchanged since I read it" never holds. Rows whose date the application gave are stored with milliseconds and behave.
#
# Output seen:
#   date by the database:        = 0, >= 0, < 1
#   date by the application:     = 1, >= 1, < 0
#
# Needs what builds better-sqlite3 where no built one is to be had. Exits with 1 where it behaves otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund typeorm@1.1.1 better-sqlite3@12.11.1 reflect-metadata@0.2.2 >/dev/null

cat >main.mjs <<'JS'
import { DataSource, EntitySchema, Equal, LessThan, MoreThanOrEqual } from 'typeorm';

const Entry = new EntitySchema({
  name: 'entry',
  columns: { id: { type: Number, primary: true, generated: true }, createdAt: { type: 'datetime', createDate: true } },
});
const dataSource = new DataSource({ type: 'better-sqlite3', database: ':memory:', entities: [Entry], synchronize: true });
await dataSource.initialize();
const entries = dataSource.getRepository(Entry);

async function found(id) {
  const { createdAt } = await entries.findOneByOrFail({ id });
  const counts = [Equal, MoreThanOrEqual, LessThan].map((by) => entries.countBy({ id, createdAt: by(createdAt) }));
  const [equal, notBefore, before] = await Promise.all(counts);
  return `= ${equal}, >= ${notBefore}, < ${before}`;
}

const { id: ofDatabase } = await entries.save({});
const { id: ofApplication } = await entries.save({ createdAt: new Date('2026-01-01T12:00:00.000Z') });
const seen = [await found(ofDatabase), await found(ofApplication)];
console.log(`date by the database:        ${seen[0]}`);
console.log(`date by the application:     ${seen[1]}`);
process.exit(seen.join('; ') === '= 0, >= 0, < 1; = 1, >= 1, < 0' ? 0 : 1);
JS
node main.mjs
