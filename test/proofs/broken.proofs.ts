import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../docs/documents.js';
import { PROOFS } from './proofs.js';

/** Within the project, so that the copy finds its packages. */
const COPY = join(ROOT, 'dist/proofs');
const REPORT = join(COPY, 'report.json');
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

/** What vitest reports of a run. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

/** What comes of the tests of a file in the copy. */
function reportOf(file: string, name: string): Report {
  rmSync(REPORT, { force: true });
  // What is broken may wait for what never comes.
  const limits = ['--bail=1', '--testTimeout=60000', '--hookTimeout=60000'];
  const options = ['--reporter=json', `--outputFile=${REPORT}`, ...limits, ...(name ? ['-t', name] : [])];
  spawnSync(process.execPath, [VITEST, 'run', file, ...options], { cwd: COPY, stdio: 'ignore' });
  return JSON.parse(readFileSync(REPORT, 'utf8')) as Report;
}

/** What comes of tests where nothing is broken. */
const UNBROKEN = new Map<string, Report>();

describe('SECURITY.md', () => {
  beforeAll(() => {
    rmSync(COPY, { recursive: true, force: true });
    const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
    for (const file of files.toString().split('\0').filter(Boolean)) {
      mkdirSync(dirname(join(COPY, file)), { recursive: true });
      cpSync(join(ROOT, file), join(COPY, file));
    }
  });
  afterAll(() => rmSync(COPY, { recursive: true, force: true }));

  it.each(PROOFS)('$guarantee', ({ breaks: { file, from, to }, test, only = '' }) => {
    const whole = UNBROKEN.get(test + only) ?? reportOf(test, only);
    UNBROKEN.set(test + only, whole);
    expect(whole.numFailedTests, 'It fails where nothing is broken.').toBe(0);
    expect(whole.numPassedTests, 'No test of this name was run.').toBeGreaterThan(0);
    const broken = join(COPY, file);
    const text = readFileSync(broken, 'utf8');
    writeFileSync(
      broken,
      text.replace(from, () => to),
    );
    try {
      expect(reportOf(test, only).numFailedTests, 'No test has failed.').toBeGreaterThan(0);
    } finally {
      writeFileSync(broken, text);
    }
  });
});
