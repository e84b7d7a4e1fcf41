/** How many bytes of heap a session takes that the near cache keeps, and what a hit costs the processor. */
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { CleanUps } from './clean-ups.js';
import { fillSessions, FullSessions, Sessions, sessionsModules, type UserTable } from './contenders/nest-sessions.js';
import { createDatabase } from './databases.js';
import { Dataset } from './dataset.js';
import { tokenOf } from './tokens.js';

const { values } = parseArgs({ options: { rows: { type: 'string', default: '50000' } } });
const rows = Number(values.rows);
const ROUNDS = 7;

function inUse(): number {
  for (let i = 0; i < 4; i++) globalThis.gc!();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

async function measure(dataset: Dataset, table: UserTable): Promise<void> {
  await fillSessions(dataset, table);
  const imports = sessionsModules(dataset.database, table, { cache: { maxEntries: rows, channel: null, ttl: '1h' } });
  const app = await NestFactory.createApplicationContext({ module: class {}, imports }, { logger: ['error'] });
  const sessions = app.get(table) as Sessions;
  const tokens = Array.from({ length: rows - 1 }, (_, i) => tokenOf(i + 1));
  // What is compiled and made once is not theirs.
  for (const token of tokens.slice(0, 2000)) await sessions.authenticate(token);
  const before = inUse();
  for (const token of tokens.slice(2000)) await sessions.authenticate(token);
  const bytes = (inUse() - before) / (tokens.length - 2000);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begun = process.cpuUsage();
    for (const token of tokens) await sessions.authenticate(token);
    const { user, system } = process.cpuUsage(begun);
    times.push((user + system) / tokens.length);
  }
  const hit = times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
  console.log(`${table.name}: ${Math.round(bytes)} bytes a kept session, ${hit.toFixed(2)} µs a hit`);
  await app.close();
}

const cleanUps = new CleanUps();
try {
  const database = (await createDatabase('sqlite', cleanUps, console.error))!;
  const dataset = new Dataset(database, rows, () => undefined);
  for (const table of [Sessions, FullSessions]) await measure(dataset, table);
} finally {
  for (const error of await cleanUps.run()) console.error(error);
}
