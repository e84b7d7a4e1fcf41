import { defineConfig } from 'vitest/config';
import base, { project } from '../../vitest.config.js';

/** What `npm run test:package` runs: whole applications, as a newcomer begins them, on the packed library. */
const newcomer = project('newcomer', {
  include: ['test/newcomer/*.e2e-spec.ts'],
  testTimeout: 600_000,
  hookTimeout: 600_000,
});

export default defineConfig({ test: { ...base.test, projects: [newcomer] } });
