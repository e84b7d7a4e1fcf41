import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.config.js';

/** What `npm run test:package` runs: whole applications, as a newcomer begins them, on the packed library. */
const config = mergeConfig(base, defineConfig({ test: { testTimeout: 600_000, hookTimeout: 600_000 } }));
config.test!.include = ['test/newcomer/*.e2e-spec.ts'];
config.test!.exclude = [];

export default config;
