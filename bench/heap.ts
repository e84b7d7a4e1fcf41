/** Validates millions of tokens, known and unknown, and tells how much memory is in use after each tenth of them. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { CleanUps } from './clean-ups.js';
import { Sessions, sessionsModules, fillSessions } from './contenders/nest-sessions.js';
import { createDatabase } from './databases.js';
import { Dataset } from './dataset.js';
import { altered, tokenOf } from './tokens.js';

const ROWS = 100_000;
/** Fewer than there are sessions, so that entries come and go. */
const CACHED = 10_000;
const PARTS = 10;
const MIB = 2 ** 20;
/** How much more may be in use at the end than after the first part. */
const TOLERATED = 1.05;

const { values } = parseArgs({ options: { validations: { type: 'string', default: '10000000' } } });
const part = Math.ceil(Number(values.validations) / PARTS);
const cleanUps = new CleanUps();
try {
  const database = (await createDatabase('sqlite', cleanUps, console.log))!;
  await fillSessions(new Dataset(database, ROWS, () => undefined));
  const imports = sessionsModules(database, Sessions, { cache: { maxEntries: CACHED, channel: null } });
  const app = await NestFactory.createApplicationContext({ module: class {}, imports }, { logger: ['error'] });
  const sessions = app.get(Sessions);
  const inUse: number[] = [];
  for (let i = 1; i <= PARTS; i++) {
    for (let n = 0; n < part; n++) {
      const token = tokenOf(randomInt(1, ROWS));
      await sessions.authenticate(n % 4 === 0 ? altered(token) : token);
    }
    globalThis.gc!();
    const { heapUsed, external, rss } = process.memoryUsage();
    inUse.push(heapUsed + external);
    const megabytes = [heapUsed + external, rss].map((bytes) => (bytes / MIB).toFixed(1));
    console.log(
      `${(i * part).toLocaleString('en')} validations: ${megabytes[0]} MiB in use, ${megabytes[1]} MiB resident`,
    );
  }
  const growth = inUse.at(-1)! / inUse[0]!;
  console.log(`At the end ${growth.toFixed(3)} times of what it was after the first tenth (at most ${TOLERATED}).`);
  process.exitCode = growth <= TOLERATED ? 0 : 1;
  await app.close();
} finally {
  for (const error of await cleanUps.run()) console.error(error);
}
