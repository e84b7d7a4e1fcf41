import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { read, ROOT } from '../docs/documents.js';
import { fencesOf } from '../docs/markdown.js';

/** Inside the repository, so that the examples find what they import. */
const FOLDER = 'test/testing/.examples';

/** The library's source under the names by which users import it. */
const SOURCE = join(ROOT, 'libs/sessions/src');

/** The longer ones first, for a name stands for all that begin with it. */
const ALIASES = Object.fromEntries(
  ['testing', 'platform-ws', ''].map((entry) => [join('nest-sessions', entry), join(SOURCE, entry, 'index.ts')]),
);

const VITEST_CONFIG = `export default {
  resolve: { alias: ${JSON.stringify(ALIASES)} },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: { include: ['**/*.spec.ts'], testTimeout: 60_000 },
};`;

const JEST_CONFIG = JSON.stringify({
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json', 'node'],
  testMatch: ['**/*.spec.ts'],
  // A limit for what hangs, not for what is slow.
  testTimeout: 300_000,
  roots: ['<rootDir>', SOURCE],
  testPathIgnorePatterns: [SOURCE],
  moduleNameMapper: {
    '^nest-sessions/testing$': `${SOURCE}/testing/index.ts`,
    '^nest-sessions$': `${SOURCE}/index.ts`,
    [`^(\\.{1,2}/.+)\\.js$`]: '$1',
  },
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
});

describe('the examples of the documentation', () => {
  mkdirSync(join(ROOT, FOLDER), { recursive: true });
  const folder = mkdtempSync(join(ROOT, FOLDER, 'run-'));
  afterAll(() => rmSync(join(ROOT, FOLDER), { recursive: true, force: true }));

  it('for vitest pass under vitest', () => {
    const examples = examplesOf('docs/testing.md', 'run with vitest');
    for (const [i, code] of examples.entries()) writeFileSync(join(folder, `example-${i}.spec.ts`), code);
    writeFileSync(join(folder, 'vitest.config.mjs'), VITEST_CONFIG);
    const vitest = run(['node_modules/vitest/vitest.mjs', 'run', 'example-', '--root', folder]);
    expect(vitest.output).toMatch(new RegExp(`Tests +${examples.length} passed`));
    expect(vitest.status).toBe(0);
    expect(examples).toHaveLength(4);
  });

  it('for jest passes under jest', () => {
    const jestFolder = join(folder, 'jest');
    mkdirSync(jestFolder);
    writeFileSync(join(jestFolder, 'route.spec.ts'), example('docs/testing.md', 'run with jest'));
    writeFileSync(join(jestFolder, 'jest.config.json'), JEST_CONFIG);
    const config = join(jestFolder, 'jest.config.json');
    const jest = run(['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--config', config]);
    expect(jest.output).toMatch(/Tests: +1 passed, 1 total/);
    expect(jest.status).toBe(0);
  });

  it('for an entity of one’s own prints what it says', () => {
    writeFileSync(
      join(folder, 'memory.spec.ts'),
      `import { it } from 'vitest';\nit('runs', async () => { await import('./memory.js'); });`,
    );
    writeFileSync(join(folder, 'memory.ts'), example('docs/memory.md', 'run'));
    writeFileSync(join(folder, 'vitest.config.mjs'), VITEST_CONFIG);
    const reporting = ['--reporter=verbose', '--disable-console-intercept'];
    const { output, status } = run(['node_modules/vitest/vitest.mjs', 'run', 'memory', '--root', folder, ...reporting]);
    expect(output).toMatch(/^2$\n^\[ \{ album: 'Rome' \} \]$\n(^(Rome|Oslo)$\n){3}/m);
    expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' });
  });
});

function example(file: string, label: string): string {
  return examplesOf(file, label)[0]!;
}

function examplesOf(file: string, label: string): string[] {
  const fences = fencesOf(read(file)).filter((fence) => fence.label === label);
  return fences.map(({ code }) => code);
}

function run(args: readonly string[]): { output: string; status: number | null } {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', env });
  return { output: stdout + stderr, status };
}
