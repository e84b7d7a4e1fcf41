import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Suites that need a process of their own: for what they do to theirs, for what others have left in it, or as they look at its memory. */
const APART = [
  'test/{package,types}/**/*.{spec,e2e-spec}.ts',
  // The compiler, and packages that change TypeORM for good.
  'test/docs/{snippets,reference}.spec.ts',
  'test/docs/{nestjs-cls,transactional}.e2e-spec.ts',
  // A time zone of its own.
  'test/migrations/ecto-table.e2e-spec.ts',
  'libs/sessions/src/util/coalescer.spec.ts',
  // They count timers.
  'libs/sessions/src/{cache/invalidation-bus,live/held-sessions,util/bulkhead}.spec.ts',
  'test/pruning/expiry-job.e2e-spec.ts',
];

/** Suites of the demo, whose modules make its entities known as they are loaded. */
const DEMO = ['test/{browser,demo}/**/*.{spec,e2e-spec}.ts'];

/** Suites that run in one way, which `test` says. */
export function project(name: string, test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return {
    resolve: { tsconfigPaths: true },
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    test: {
      name,
      // Child processes have it too.
      env: { DEMO_PASSWORD_COST: '1024', DEMO_PASSWORD_GUESSES: '1000000', DEMO_TOKEN_GUESSES: '1000000' },
      // Limits for what hangs, not for what is slow.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      expect: { poll: { timeout: 120_000 } },
      setupFiles: ['test/support/patient-favours.ts'],
      ...test,
    },
  };
}

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    // Suites wait for databases much of the time; these have connections for three that race.
    maxWorkers: 3,
    projects: [
      // Nest and TypeORM are loaded once for all of them.
      project('shared', {
        include: ['{apps,libs,test}/**/*.{spec,e2e-spec}.ts'],
        // `npm run test:package` runs those of the newcomer.
        exclude: [...configDefaults.exclude, ...APART, ...DEMO, 'test/newcomer/**'],
        isolate: false,
        setupFiles: ['test/support/patient-favours.ts', 'test/support/fresh-entities.ts'],
      }),
      project('demo', { include: DEMO, isolate: false }),
      project('apart', { include: APART }),
    ],
  },
});
