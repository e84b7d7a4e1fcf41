import { problemsOfOptions } from '../errors/known-options.js';
import { isObject } from '../errors/option-types.js';
import { MODULE_OPTIONS, type SessionsModuleOptions, TABLE_OPTIONS } from './sessions.options.js';

/** Problems with the names and types of options of `forRoot`, nested ones included. */
export function problemsOfModuleOptions(options: SessionsModuleOptions): string[] {
  const tables: object = isObject(options.tables) ? options.tables : {};
  return [
    ...problemsOfOptions('', options, MODULE_OPTIONS),
    ...Object.entries(tables).flatMap(([name, own]) =>
      problemsOfOptions('', own, TABLE_OPTIONS).map((problem) => `tables.${name}: ${problem}`),
    ),
  ];
}
