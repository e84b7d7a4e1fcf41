import { execFile } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench } from './bench.js';
import { ROOT_FOLDER } from './folders.js';

const run = promisify(execFile);

/** Who takes turns: the other build, a copy of it, which shows the error of measurement, and this one. */
export const ENTRANTS = ['before', 'control', 'now'] as const;
export type Entrant = (typeof ENTRANTS)[number];

/** Where the other build lies, with the benchmark beside it as this one has it. */
const BEFORE = new URL('dist/before/', ROOT_FOLDER);
const CONTROL = new URL('dist/control/', ROOT_FOLDER);
const SOURCES = new URL('dist/before-sources/', ROOT_FOLDER);

/** Builds the library of a commit, with the packages of this one; the folders of the benchmark beside each build. */
export async function foldersOf(bench: Bench, commit: string): Promise<Readonly<Record<Entrant, URL>>> {
  bench.progress.show(`building ${commit}`);
  const remove = async (): Promise<void> => {
    for (const folder of [BEFORE, CONTROL, SOURCES]) await rm(folder, { recursive: true, force: true });
  };
  await remove();
  bench.cleanUps.add(remove);
  await mkdir(SOURCES, { recursive: true });
  const [root, sources] = [ROOT_FOLDER, SOURCES].map((folder) => fileURLToPath(folder)) as [string, string];
  const archive = `${sources}sources.tar`;
  await run('git', ['archive', '--output', archive, commit, 'libs/sessions/src'], { cwd: root });
  await run('tar', ['-xf', archive, '-C', sources]);
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: {
      rootDir: '.',
      outDir: '../before',
      declaration: false,
      sourceMap: false,
      noCheck: true,
      paths: {},
    },
    include: ['libs/sessions/src/**/*.ts'],
    exclude: ['**/*.spec.ts'],
  };
  await writeFile(`${sources}tsconfig.json`, JSON.stringify(config));
  await run(process.execPath, [`${root}node_modules/typescript-7/bin/tsc`, '-p', `${sources}tsconfig.json`]);
  const now = new URL('.', import.meta.url);
  await cp(now, new URL('bench/', BEFORE), { recursive: true });
  await cp(BEFORE, CONTROL, { recursive: true });
  return { before: new URL('bench/', BEFORE), control: new URL('bench/', CONTROL), now };
}
