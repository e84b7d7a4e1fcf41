/**
 * What the types of tables cost the compiler: an application of a hundred tables against the same with a hundred
 * interfaces and a service that knows no types, in turns, by TypeScript 6 and 7. Run by
 * `npm run bench:types [tables] [rounds] [compilers]`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT_FOLDER } from './folders.js';
import { ratios, spreadOf } from './statistics.js';
import { sourcesOf } from './types-application.js';

const [tables = '100', rounds = '7', ...named] = process.argv.slice(2);
const COMPILERS = named.length > 0 ? named : ['typescript', 'typescript-7'];
const ROOT = fileURLToPath(ROOT_FOLDER);
const OPTIONS = {
  target: 'ES2023',
  module: 'nodenext',
  strict: true,
  skipLibCheck: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  types: ['node'],
  rootDir: '.',
};

interface Compilation {
  /** Seconds. */
  readonly check: number;
  readonly total: number;
  readonly instantiations: number;
}

/** Compiles a project. @throws Error with what the compiler says, where something is wrong */
function tsc(compiler: string, ...options: string[]): string {
  const program = join(ROOT, 'node_modules', compiler, 'bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [program, ...options], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout);
  return stdout;
}

function compile(compiler: string, folder: string): Compilation {
  const printed = tsc(compiler, '-p', folder, '--noEmit', '--extendedDiagnostics');
  const figure = (name: string): number => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(printed)![1]);
  return { check: figure('Check time'), total: figure('Total time'), instantiations: figure('Instantiations') };
}

/** Compiles both projects in turns, and prints what the typed one takes against the other. */
function compare(compiler: string, projects: readonly string[]): void {
  console.log(`TypeScript ${tsc(compiler, '--version').trim().split(' ').at(-1)}`);
  const typed: Compilation[] = [];
  const loose: Compilation[] = [];
  for (let round = 0; round < Number(rounds); round++) {
    for (const [i, project] of projects.entries()) (i === 0 ? typed : loose).push(compile(compiler, project));
  }
  for (const name of ['check', 'total', 'instantiations'] as const) {
    const [ours, others] = [typed, loose].map((all) => all.map((compilation) => compilation[name])) as [
      number[],
      number[],
    ];
    const { median, min, max } = ratios(ours, others);
    console.log(
      `${name}: ${spreadOf(ours).median} against ${spreadOf(others).median}, ${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`,
    );
  }
}

const folder = mkdtempSync(join(tmpdir(), 'nest-sessions-types-'));
try {
  const packages = join(folder, 'node_modules');
  mkdirSync(packages);
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    symlinkSync(join(ROOT, 'node_modules', name), join(packages, name), 'junction');
  }
  const library = join(packages, 'nest-sessions');
  tsc(
    COMPILERS[0]!,
    '-p',
    join(ROOT, 'libs/sessions/tsconfig.lib.json'),
    '--sourceMap',
    'false',
    '--outDir',
    join(library, 'dist'),
  );
  cpSync(join(ROOT, 'libs/sessions/package.json'), join(library, 'package.json'));
  const projects = [true, false].map((typed) => {
    const project = join(folder, typed ? 'typed' : 'loose');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS }));
    for (const [name, source] of sourcesOf(Number(tables), typed)) writeFileSync(join(project, name), source);
    return project;
  });
  for (const compiler of COMPILERS) compare(compiler, projects);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
