import { compileFunction } from 'node:vm';
import ts from 'typescript';
import { read } from './documents.js';
import { fencesOf } from './markdown.js';
import { compilerOptions } from './snippets.js';

/**
 * Runs the recipe under the HTML comment `<!-- label -->` as it stands in its document, with what the application has by
 * those names, and gives what it exports.
 */
export async function run(file: string, label: string, names: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { code } = fencesOf(read(file)).find((fence) => fence.label === label)!;
  const options = { ...compilerOptions(), module: ts.ModuleKind.CommonJS };
  const { outputText } = ts.transpileModule(code, { compilerOptions: options });
  const modules = new Map<string, unknown>();
  for (const { fileName } of ts.preProcessFile(code).importedFiles) {
    modules.set(fileName, await import(fileName));
  }
  const recipe = compileFunction(outputText, ['exports', 'require', ...Object.keys(names)], { filename: file });
  const exports = {};
  recipe(exports, (name: string) => modules.get(name), ...Object.values(names));
  return exports;
}
