import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformSync } from '@swc/core';
import { afterAll, beforeAll } from 'vitest';
import { read, ROOT, SOURCES } from '../docs/documents.js';

/**
 * The library as a process of its own runs it, for a whole suite: compiled, where its imports find the packages of this
 * repository.
 *
 * @returns what tells the address to import it from
 */
export function useCompiledLibrary(): () => string {
  let folder: string;
  beforeAll(() => {
    mkdirSync(join(ROOT, 'dist'), { recursive: true });
    folder = mkdtempSync(join(ROOT, 'dist', 'nodes-'));
    compileLibrary(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return () => pathToFileURL(join(folder, 'index.js')).href;
}

/** Compiles the library file by file into a folder; what is wrong with its types, the type check says. */
export function compileLibrary(folder: string): void {
  for (const source of SOURCES) {
    const file = join(folder, relative('libs/sessions/src', source)).replace(/\.ts$/, '.js');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, javascript(read(source)));
  }
}

/** A module of TypeScript as an ES module. */
export function javascript(code: string): string {
  return transpiled(code, 'es6');
}

/** A module of TypeScript as a CommonJS module. */
export function commonJs(code: string): string {
  return transpiled(code, 'commonjs');
}

/** By swc, which takes a fortieth of the time that TypeScript does. */
function transpiled(code: string, type: 'es6' | 'commonjs'): string {
  return transformSync(code, {
    swcrc: false,
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type },
  }).code;
}
