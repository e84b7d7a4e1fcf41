import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { format, resolveConfig } from 'prettier';
import type { Bench } from './bench.js';
import { barsOf, linesOf } from './charts.js';
import { BENCH_FOLDER, ROOT_FOLDER } from './folders.js';
import { SECTIONS, type SectionName } from './options.js';
import { versionOf } from './peers.js';
import type { Group } from './results.js';
import { DATABASE_TITLES } from './sections/validation.js';
import { markdownTable, tableOf } from './table.js';

const GIB = 2 ** 30;
const PACKAGES = [
  'pg',
  'mysql2',
  'better-sqlite3',
  'typeorm',
  '@nestjs/core',
  'express',
  'fastify',
  'better-auth',
  'express-session',
  'connect-pg-simple',
  'connect-typeorm',
];

/** Writes `performance.md` and its charts, and gives the path of the former. */
export async function writeReport(bench: Bench, sections: ReadonlyMap<SectionName, readonly Group[]>): Promise<string> {
  const folder = new URL(`${bench.options.output}/`, ROOT_FOLDER);
  await mkdir(folder, { recursive: true });
  const groups = [...sections.values()].flat();
  const template = await readFile(new URL('performance.template.md', BENCH_FOLDER), 'utf8');
  const values: Readonly<Record<string, string>> = {
    notice: noticeOf(bench),
    machine: machineOf(bench),
    run: runOf(bench),
    ...Object.fromEntries(SECTIONS.map((name) => [name, figuresOf(sections.get(name) ?? [])])),
  };
  const text = template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name]!);
  const file = new URL('performance.md', folder);
  await writeFile(file, await format(text, { ...(await resolveConfig(ROOT_FOLDER)), parser: 'markdown' }));
  await writeFile(new URL('performance.svg', folder), await barsOf(groups.filter(({ charted }) => charted)));
  await writeFile(new URL('growth.svg', folder), await linesOf(sections.get('growth') ?? []));
  return `${bench.options.output}/performance.md`;
}

function noticeOf({ options: { quick } }: Bench): string {
  return quick ? '**From a quick run, which checks that all works: these figures mean nothing.**' : '';
}

function machineOf({ databases }: Bench): string {
  return [
    `- ${availableParallelism()} cores, ${Math.round(totalmem() / GIB)} GB of memory, ${process.platform}, ${process.arch}`,
    `- Node ${process.versions.node}; ${databases.map(({ name, version }) => `${DATABASE_TITLES[name]} ${version}`).join(', ')}; all on the same machine`,
    `- ${PACKAGES.map((name) => `${name} ${versionOf(name)}`).join(', ')}`,
  ].join('\n');
}

function runOf({ options: { rows, rounds, seconds } }: Bench): string {
  return `${rows.toLocaleString('en')} rows, ${rounds} rounds, turns of ${seconds} s`;
}

function figuresOf(groups: readonly Group[]): string {
  if (groups.length === 0) return 'Not measured in this run.';
  return groups.map((group) => `### ${group.title}\n\n${markdownTable(tableOf(group))}`).join('\n\n');
}
