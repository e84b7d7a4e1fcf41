import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.config.js';

/**
 * The tests that the mutation test runs: those of tokens, of the session's state and of the guard, on SQLite and in memory.
 *
 * ```bash
 * npm i --no-save @stryker-mutator/core@9 @stryker-mutator/vitest-runner@9
 * npx stryker run test/mutation/stryker.config.json
 * ```
 */
const config = mergeConfig(base, defineConfig({ test: { testNamePattern: '^(?!.*on (postgres|mariadb)).*$' } }));
config.test!.include = [
  'libs/sessions/src/{guard,http,token}/*.spec.ts',
  'libs/sessions/src/session/lifetime.spec.ts',
  'libs/sessions/src/session/validity.spec.ts',
  'test/guard/*.e2e-spec.ts',
  'test/failure/broken-table.e2e-spec.ts',
  'test/{events/events,registry/registration}.e2e-spec.ts',
];

export default config;
