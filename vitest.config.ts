import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { tsconfigPaths: true },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['{apps,libs,test}/**/*.{spec,e2e-spec}.ts'],
    // `npm run test:package` runs these.
    exclude: [...configDefaults.exclude, 'test/newcomer/**'],
    globalSetup: ['test/support/global-setup.ts'],
    // Child processes have it too.
    env: { DEMO_PASSWORD_COST: '1024' },
    // Suites wait for databases much of the time; these have connections for two that race.
    maxWorkers: 2,
    // Limits for what hangs, not for what is slow.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
  },
});
