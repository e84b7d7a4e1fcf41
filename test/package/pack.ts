import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { read, ROOT } from '../docs/documents.js';
import { quickStart } from '../docs/quick-start.js';

/** The package's manifest. */
export interface Manifest {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
  readonly exports: Readonly<Record<string, unknown>>;
}

export const MANIFEST = JSON.parse(read('libs/sessions/package.json')) as Manifest;

/** Runs a command to its end and gives what it printed. @throws Error with what it printed, where it fails */
export async function run(folder: string, command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd: folder, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/**
 * Packs the library as `npm publish` does, by its own scripts, and gives the path of the tarball. It happens on a copy, so
 * that nothing that is built elsewhere at the same time is disturbed.
 */
export async function pack(folder: string): Promise<string> {
  const copy = join(folder, 'repository');
  const tracked = [
    'README.md',
    'ARCHITECTURE.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'docs',
    'tsconfig.json',
    'package.json',
    'libs/sessions',
  ];
  for (const name of tracked) {
    cpSync(join(ROOT, name), join(copy, name), {
      recursive: true,
      filter: (path) => !/[\\/](dist|node_modules)$/.test(path),
    });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');
  await run(join(copy, 'libs/sessions'), 'npm', 'pack', '--pack-destination', folder);
  return join(folder, `nest-sessions-${MANIFEST.version}.tgz`);
}

/** The files of a tarball, and what is in them. */
export async function unpack(tarball: string, folder: string): Promise<Map<string, string>> {
  mkdirSync(folder, { recursive: true });
  await run(folder, 'tar', '-xzf', tarball);
  const root = join(folder, 'package');
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(root.length + 1).replaceAll('\\', '/'), readFileSync(path, 'utf8')];
    }),
  );
}

/** The compiler's options of a strict project; the types of the packages are compiled too. */
const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    module: 'nodenext',
    strict: true,
    skipLibCheck: false,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    types: ['node'],
  },
  files: ['main.ts'],
};

/**
 * A project in an empty folder: the packages from the registry, the tarball, and the quick start of the README as
 * `main.ts`. The driver is that of the repository, since compiling it is no business of this test.
 */
export async function newProject(folder: string, tarball: string, packages: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  writeFileSync(join(folder, 'main.ts'), quickStart());
  const driver = join(ROOT, 'node_modules/better-sqlite3');
  const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  await run(folder, 'npm', 'install', ...options, tarball, driver, ...packages);
}

/** The options of the compiler in what `nest new` makes. */
const NEST_NEW = 'node_modules/@nestjs/schematics/dist/lib/application/files/ts-esm';

/** An application as `nest new` makes it, with these sources, the library as it is packed, and the repository's packages. */
export function nestApplication(
  folder: string,
  packed: string,
  strict: boolean,
  sources: Readonly<Record<string, string>>,
): void {
  const packages = join(folder, 'node_modules');
  mkdirSync(join(folder, 'src'), { recursive: true });
  mkdirSync(packages);
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    symlinkSync(join(ROOT, 'node_modules', name), join(packages, name), 'junction');
  }
  cpSync(packed, join(packages, 'nest-sessions'), { recursive: true });
  const options = read(`${NEST_NEW}/tsconfig.json`).replace('<%= strict %>', String(strict));
  writeFileSync(join(folder, 'tsconfig.json'), options.replace('"vitest/globals", ', ''));
  writeFileSync(join(folder, 'tsconfig.build.json'), read(`${NEST_NEW}/tsconfig.build.json`));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true, type: 'module' }));
  for (const [name, source] of Object.entries(sources)) writeFileSync(join(folder, 'src', name), source);
}

/** Compiles the project by the fastest of the repository's compilers. */
export async function compileProject(folder: string): Promise<void> {
  await run(folder, process.execPath, join(ROOT, 'node_modules/typescript-7/bin/tsc'), '-p', '.');
}
