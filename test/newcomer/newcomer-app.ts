import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../docs/documents.js';
import { run } from '../package/pack.js';

/** The kinds of application that the Nest CLI makes: ES modules with vitest, CommonJS with jest. */
export type Kind = 'esm' | 'cjs';

const VITEST = ['node_modules/vitest/vitest.mjs', 'run'];
const JEST = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'];

/** An application that `nest new` has made, with that of this folder laid over it, and the commands of its `package.json`. */
export class NewcomerApp {
  private constructor(
    readonly folder: string,
    private readonly kind: Kind,
    readonly environment: Readonly<Record<string, string | undefined>>,
  ) {}

  /** @param library the folder of the unpacked library */
  static async generate(parent: string, kind: Kind, library: string, databaseUrl?: string): Promise<NewcomerApp> {
    const schematics = join(ROOT, 'node_modules/@angular-devkit/schematics-cli/bin/schematics.js');
    const options = [`--name=${kind}`, `--directory=${kind}`, `--type=${kind}`, '--no-dry-run', '--debug=false'];
    await run(parent, process.execPath, schematics, '@nestjs/schematics:application', ...options);
    const folder = join(parent, kind);
    for (const name of ['src', 'test']) layOver(join(ROOT, 'test/newcomer/app', name), join(folder, name), kind);
    link(folder, library);
    const { PATH, HOME } = process.env;
    return new NewcomerApp(folder, kind, { PATH, HOME, NO_COLOR: '1', DATABASE_URL: databaseUrl });
  }

  build(): Promise<string> {
    return this.node(['node_modules/@nestjs/cli/bin/nest.js', 'build']);
  }

  /** Runs a command of TypeORM with the data source that was built, or that of TypeScript. */
  typeorm(dataSource: string, ...command: string[]): Promise<string> {
    const loader = dataSource.endsWith('.ts') ? ['--import', 'tsx'] : [];
    return this.node([...loader, 'node_modules/typeorm/cli.js', ...command, '-d', dataSource]);
  }

  async unitTests(): Promise<string> {
    return this.kind === 'esm' ? this.node(VITEST) : this.node(JEST, await nodeForJest(dirname(this.folder)));
  }

  async endToEndTests(): Promise<string> {
    return this.kind === 'esm'
      ? this.node([...VITEST, '--config', './vitest.config.e2e.ts'])
      : this.node([...JEST, '--config', './test/jest-e2e.json'], await nodeForJest(dirname(this.folder)));
  }

  /** Gives what a program of Node has printed. @throws Error with it, where the program fails */
  private async node(args: readonly string[], executable = process.execPath): Promise<string> {
    const options = { cwd: this.folder, env: this.environment, maxBuffer: 2 ** 26 };
    try {
      const { stdout, stderr } = await promisify(execFile)(executable, args, options);
      return stdout + stderr;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
    }
  }
}

function layOver(from: string, to: string, kind: Kind): void {
  for (const file of readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
    const code = readFileSync(join(from, file), 'utf8');
    mkdirSync(dirname(join(to, file)), { recursive: true });
    writeFileSync(join(to, file), kind === 'cjs' ? withoutExtensions(code) : code);
  }
}

/** A module as people write it for CommonJS. */
function withoutExtensions(code: string): string {
  return code.replaceAll(/(from '\.{1,2}\/[^']+)\.js'/g, `$1'`);
}

/** The packages of the repository, and the library as it was packed. */
function link(folder: string, library: string): void {
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'junction');
  cpSync(library, join(modules, 'nest-sessions'), { recursive: true });
}

/** The Node that jest needs, which can `require` an ES module from 24.9 on: this one, or one from npm. */
async function nodeForJest(parent: string): Promise<string> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 9)) return process.execPath;
  const folder = join(parent, 'node');
  const name = `node-${process.platform}-${process.arch}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  await run(folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `${name}@24`);
  return join(folder, 'node_modules', name, 'bin/node');
}
