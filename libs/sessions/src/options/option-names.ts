import { COOKIE_OPTIONS } from '../http/cookie-options.js';
import { HEADER_SOURCE } from '../http/credentials.js';
import { problemsOfNames } from '../errors/known-options.js';
import {
  CACHE_OPTIONS,
  MODULE_OPTIONS,
  PRUNING_OPTIONS,
  type SessionsModuleOptions,
  TABLE_OPTIONS,
  type TableOptions,
} from './sessions.options.js';
import { type DigestScheme, HASH_SCHEME, KEYED_SCHEME, SIGNING_KEY } from '../token/digest.js';

/** What is wrong with the names of options of `forRoot`, and of those inside them. */
export function problemsOfModuleOptions(options: SessionsModuleOptions): string[] {
  return [
    ...problemsOfTableOptions(MODULE_OPTIONS, options),
    ...Object.entries(options.tables ?? {}).flatMap(([name, own]) =>
      problemsOfTableOptions(TABLE_OPTIONS, own).map((problem) => `tables.${name}: ${problem}`),
    ),
  ];
}

/** What is wrong with the names of a table's options, beside which there may be others, and of those inside them. */
export function problemsOfTableOptions(known: typeof TABLE_OPTIONS, options: TableOptions = {}): string[] {
  const { pruning, cache, cookie, credentials = [], keys = [], formerSchemes = [] } = options;
  return [
    ...problemsOfNames('', options, known),
    ...(pruning === false ? [] : problemsOfNames('pruning', pruning, PRUNING_OPTIONS)),
    ...(typeof cache === 'boolean' ? [] : problemsOfNames('cache', cache, CACHE_OPTIONS)),
    ...problemsOfNames('cookie', cookie, COOKIE_OPTIONS),
    // What is no source at all is told where the sources are resolved.
    ...credentials
      .filter((source) => typeof source === 'object' && source !== null)
      .flatMap((source) => problemsOfNames('credentials', source, HEADER_SOURCE)),
    ...keys.flatMap((key) => problemsOfNames('keys', key, SIGNING_KEY)),
    ...formerSchemes.flatMap(problemsOfScheme),
  ];
}

function problemsOfScheme(scheme: DigestScheme): string[] {
  const isKeyed = typeof scheme === 'object' && scheme !== null && 'key' in scheme;
  return [
    ...problemsOfNames('formerSchemes', scheme, isKeyed ? KEYED_SCHEME : HASH_SCHEME),
    ...(isKeyed ? problemsOfNames('formerSchemes.key', scheme.key, SIGNING_KEY) : []),
  ];
}
