import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/**
 * The library as a process of its own runs it, for a whole suite: compiled, where its imports find the packages of this
 * repository.
 *
 * @returns what tells the address to import it from
 */
export function useCompiledLibrary(): () => string {
  let folder: string;
  beforeAll(async () => {
    mkdirSync(join(ROOT, 'dist'), { recursive: true });
    folder = mkdtempSync(join(ROOT, 'dist', 'nodes-'));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const options = ['-p', 'libs/sessions/tsconfig.lib.json', '--outDir', folder, '--declaration', 'false'];
    await promisify(execFile)(process.execPath, [tsc, ...options], { cwd: ROOT });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return () => pathToFileURL(join(folder, 'index.js')).href;
}
