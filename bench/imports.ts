/** What an application pays at its start for importing the library, beside what it needs and what does its work: CPU time and heap. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BENCH_FOLDER, ROOT_FOLDER } from './folders.js';
import { spreadOf } from './statistics.js';
import { textTable } from './table.js';

const ROUNDS = 7;
const MIB = 2 ** 20;

const LIBRARY = new URL('../libs/sessions/src/index.js', import.meta.url).href;
const ROOT = fileURLToPath(ROOT_FOLDER);
const BENCH = fileURLToPath(BENCH_FOLDER);

/** What is imported before, and the import that is measured; where packages are found. */
const IMPORTS: readonly (readonly [name: string, folder: string, before: readonly string[], measured: string])[] = [
  ['NestJS', ROOT, [], '@nestjs/core'],
  ['TypeORM, beside NestJS', ROOT, ['@nestjs/core'], 'typeorm'],
  ['cron, of @nestjs/schedule', ROOT, ['@nestjs/core', 'typeorm', '@nestjs/typeorm'], '@nestjs/schedule'],
  ['nest-sessions, beside these', ROOT, ['@nestjs/core', 'typeorm', '@nestjs/typeorm', '@nestjs/schedule'], LIBRARY],
  ['better-auth', BENCH, [], 'better-auth'],
  ['express-session', BENCH, [], 'express-session'],
];

const CODE = `
const [measured, ...before] = process.argv.slice(1);
for (const name of before) await import(name);
const heap = () => (globalThis.gc(), process.memoryUsage().heapUsed);
const [bytes, cpu] = [heap(), process.cpuUsage()];
await import(measured);
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify([(user + system) / 1000, heap() - bytes]));`;

const run = promisify(execFile);

async function measure(
  folder: string,
  before: readonly string[],
  measured: string,
): Promise<[ms: number, mib: number]> {
  const options = ['--expose-gc', '--input-type=module', '--eval', CODE, measured, ...before];
  const { stdout } = await run(process.execPath, options, { cwd: folder });
  const [ms, bytes] = JSON.parse(stdout) as [number, number];
  return [ms, bytes / MIB];
}

const rows: string[][] = [];
for (const [name, folder, before, measured] of IMPORTS) {
  const results: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++) results.push(await measure(folder, before, measured));
  const [ms, mib] = [0, 1].map((at) => spreadOf(results.map((result) => result[at]!)).median);
  rows.push([name, ms!.toFixed(0), mib!.toFixed(1)]);
}
console.log(textTable({ head: ['import', 'ms of CPU', 'MiB of heap'], rows }));
