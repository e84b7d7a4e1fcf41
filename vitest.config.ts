import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { tsconfigPaths: true },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['{apps,libs,test}/**/*.{spec,e2e-spec}.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Child processes have it too.
    env: { DEMO_PASSWORD_ROUNDS: '1' },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
