import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../docs/documents.js';

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')).config,
  ts.sys,
  ROOT,
);

/** What an editor shows of a source that stands among the type tests. */
export class Editor {
  readonly #file = join(ROOT, 'test/types/shown.ts');
  readonly #service: ts.LanguageService;
  #source = '';
  #version = 0;

  constructor() {
    this.#service = ts.createLanguageService({
      ...ts.sys,
      useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
      getScriptFileNames: () => [this.#file],
      getScriptVersion: (name) => (name === this.#file ? String(this.#version) : '0'),
      getScriptSnapshot: (name) => {
        const text = name === this.#file ? this.#source : ts.sys.readFile(name);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      fileExists: (name) => name === this.#file || ts.sys.fileExists(name),
      readFile: (name) => (name === this.#file ? this.#source : ts.sys.readFile(name)),
      getCurrentDirectory: () => ROOT,
      getCompilationSettings: () => options,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
    });
  }

  /** Shows another source. */
  open(source: string): void {
    this.#source = source;
    this.#version += 1;
  }

  /** The hovers at the places that a comment with `^` marks, by the word after it. */
  hovers(): [word: string, shown: string][] {
    return [...this.#source.matchAll(/\/\*\^\*\/(\w+)/g)].map(({ index, 1: word }) => {
      const info = this.#service.getQuickInfoAtPosition(this.#file, index + '/*^*/'.length);
      return [word!, ts.displayPartsToString(info?.displayParts)];
    });
  }

  /** The compile errors: the text that is underlined, and what is said of it. */
  errors(): [underlined: string, message: string][] {
    return this.#service
      .getSemanticDiagnostics(this.#file)
      .map(({ start = 0, length = 0, messageText }) => [
        this.#source.slice(start, start + length),
        ts.flattenDiagnosticMessageText(messageText, '\n'),
      ]);
  }
}
