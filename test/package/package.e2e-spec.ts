import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorsOf, linksOf } from '../docs/markdown.js';
import { start, walkThrough } from '../docs/quick-start.js';
import { read, ROOT } from '../docs/documents.js';
import { SOURCES } from './declarations.js';
import { compileProject, MANIFEST, nestApplication, newProject, pack, run, unpack } from './pack.js';

const folder = mkdtempSync(join(tmpdir(), 'nest-sessions-package-'));
let tarball: string;
let files: Map<string, string>;

beforeAll(async () => {
  tarball = await pack(folder);
  files = await unpack(tarball, join(folder, 'unpacked'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
  it('holds the code, its types, the documents and the licence, and no test and no source map', () => {
    const others = [...files.keys()].filter(
      (name) =>
        !/^dist\/[\w/.-]+(?<!spec)\.(js|d\.ts)$|^docs\/(decisions\/)?[\w-]+\.(md|svg)$|^docs\/images\/[\w-]+\.png$/.test(
          name,
        ),
    );
    expect(others.toSorted()).toEqual([
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'package.json',
    ]);
    expect([...files.keys()].filter((name) => /spec\.|\.map$|\.ts\.|tsbuildinfo/.test(name))).toEqual([]);
    expect([...files].filter(([, text]) => text.includes('sourceMappingURL'))).toEqual([]);
  });

  it('has the documents of the repository, whose links lead to files in it', () => {
    expect(files.get('README.md')).toBe(read('README.md'));
    const documents = [...files].filter(([name]) => name.endsWith('.md'));
    const broken = documents.flatMap(([name, text]) =>
      linksOf(text).filter((address) => !leadsSomewhere(name, address)),
    );
    expect(broken).toEqual([]);
  });

  it('exports its entries and nothing else', () => {
    expect(Object.keys(MANIFEST.exports)).toEqual([
      '.',
      './context',
      './graphql',
      './platform-socket.io',
      './platform-ws',
      './swagger',
      './testing',
      './package.json',
    ]);
  });

  it('imports only what it declares, and nothing outside itself', () => {
    const { dependencies, peerDependencies } = JSON.parse(files.get('package.json')!) as Record<string, object>;
    const declared = Object.keys({ ...dependencies, ...peerDependencies });
    const imported = [...files].filter(([name]) => name.endsWith('.js')).flatMap(([, code]) => packagesIn(code));
    expect([...new Set(imported)].filter((name) => !declared.includes(name))).toEqual([]);
  });

  it('imports an optional peer only where it is asked for, in an entry of its own', () => {
    const importers = [...files].filter(([name, code]) => name.endsWith('.js') && packagesIn(code).some(isOptional));
    expect(importers.length).toBeGreaterThan(0);
    const entries = ['dist/platform-socket.io', 'dist/platform-ws', 'dist/swagger'];
    expect(new Set(importers.map(([name]) => dirname(name)))).toEqual(new Set(['dist/guard/calls', ...entries]));
    // What refuses a message is there where there are messages, and loaded by the first refusal.
    const ofMessages = importers.filter(([name]) => dirname(name) === 'dist/guard/calls');
    expect(ofMessages.filter(([, code]) => /from '@nestjs\/(?:microservices|websockets)'/.test(code))).toEqual([]);
    const others = [...files].filter(([name]) => /^dist\/(?!swagger\/|platform-).*\.(?:js|d\.ts)$/.test(name));
    const leads = /from '[^']*\/(?:swagger|platform-[\w.]+)\//;
    expect(others.filter(([, code]) => leads.test(code)).map(([name]) => name)).toEqual([]);
  });
});

describe.concurrent.each([false, true])('an application that nest new makes, strict: %s', (strict) => {
  const application = join(folder, `strict-${strict}`);
  beforeAll(() => nestApplication(application, join(folder, 'unpacked/package'), strict, SOURCES));

  it.each(strict ? ['typescript-5.9', 'typescript', 'typescript-7'] : ['typescript-7'])(
    'compiles its tables, with declarations, by %s',
    async (name) => {
      const compiler = join(ROOT, 'node_modules', name, 'bin/tsc');
      const dist = join(application, name);
      const options = ['-p', 'tsconfig.build.json', '--incremental', 'false', '--outDir', dist];
      expect(await run(application, process.execPath, compiler, ...options)).toBe('');
      const declarations = Object.keys(SOURCES).map((source) =>
        readFileSync(join(dist, source.replace('.ts', '.d.ts')), 'utf8'),
      );
      expect(declarations.filter((text) => /nest-sessions\/|\bany\b/.test(text))).toEqual([]);
    },
  );
});

const isOptional = (name: string): boolean => MANIFEST.peerDependenciesMeta[name]?.optional ?? false;
const peers = Object.entries(MANIFEST.peerDependencies);
const needed = peers.filter(([name]) => !isOptional(name));
const platform = '@nestjs/platform-express';

describe.concurrent.each([
  ['the lowest peers that it allows', peers.map(([name, range]) => `${name}@${range.replace('^', '')}`), '12.1.0'],
  ['the latest peers that it needs', needed.map(([name, range]) => `${name}@${range}`), '^12.0.0'],
])('with %s', (title, packages, nest) => {
  const project = join(folder, title.replaceAll(' ', '-'));
  beforeAll(() => newProject(project, tarball, [...packages, `${platform}@${nest}`, '@types/node@20']));

  it('the quick start of the README compiles and runs in a folder of its own', async () => {
    await compileProject(project);
    const app = await start(project);
    expect((await walkThrough(app.url)).statuses).toEqual([201, 200, 201, 401]);
    await app.stop();
    expect(app.output()).not.toMatch(/warn|error/i);
  });

  it('a CommonJS application can require it', async () => {
    const code = "console.log(typeof require('nest-sessions').SessionsModule)";
    expect(await run(project, process.execPath, '--input-type=commonjs', '-e', code)).toBe('function\n');
  });

  it.runIf(packages.length === peers.length)('its entry for OpenAPI can be imported', async () => {
    const code = "import { ApiSession } from 'nest-sessions/swagger'; console.log(typeof ApiSession)";
    expect(await run(project, process.execPath, '--input-type=module', '-e', code)).toBe('function\n');
  });
});

function packagesIn(code: string): string[] {
  return ts
    .preProcessFile(code)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}

function leadsSomewhere(file: string, address: string): boolean {
  if (/^https?:/.test(address)) return true;
  const [path = '', anchor] = address.split('#');
  const target = path === '' ? file : normalize(join(dirname(file), path));
  if (target.endsWith('/')) return [...files.keys()].some((name) => name.startsWith(target));
  return files.has(target) && (anchor === undefined || anchorsOf(files.get(target)!).includes(anchor));
}
