import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { read, ROOT } from './documents.js';

const SOURCE = 'libs/sessions/src';
const paths = [...read('ARCHITECTURE.md').matchAll(/`((?:libs|test|apps|docs|bench)(?:\/[\w./-]+)?)`/g)].map(
  ([, path]) => path!,
);

describe('ARCHITECTURE.md', () => {
  it('names only what there is', () => {
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('names every folder of the library', () => {
    const folders = readdirSync(join(ROOT, SOURCE), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length).replaceAll('\\', '/').replace(/^\//, ''));
    expect(folders.length).toBeGreaterThan(0);
    expect(folders.filter((folder) => !paths.includes(folder))).toEqual([]);
  });
});
