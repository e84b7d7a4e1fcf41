import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryAdapter, SessionsConfigError, SessionsModule, SessionsTable, SessionsService } from '@app/sessions';
import { SessionsTestingModule } from '../../libs/sessions/src/testing/index.js';
import { inForRoot, rootTwice } from '../../libs/sessions/src/registry/messages.js';
import { errorOf } from '../support/sessions.js';

class Sessions extends SessionsTable({ table: 'set_up_sessions' }) {}
class ApiKeys extends SessionsTable({ table: 'set_up_keys' }) {}

const inMemory = (): ReturnType<typeof SessionsModule.forRoot> =>
  SessionsModule.forRoot({ adapter: new MemoryAdapter() });

let module: TestingModule | undefined;
afterEach(() => module?.close());

async function compile(
  ...imports: NonNullable<Parameters<typeof Test.createTestingModule>[0]['imports']>
): Promise<void> {
  module = await Test.createTestingModule({ imports }).compile();
}

/** The problems of modules that are not even compiled. */
async function problemsOf(...imports: Parameters<typeof compile>): Promise<readonly string[]> {
  const error = await errorOf(compile(...imports));
  expect(error).toBeInstanceOf(SessionsConfigError);
  return (error as unknown as SessionsConfigError).problems;
}

describe('forRoot', () => {
  it('is refused a second time, wherever in the application, with the places of both', async () => {
    const line = Number(/one-set-up\.e2e-spec\.ts:(\d+)/.exec(new Error().stack!)![1]);
    const first = SessionsModule.forRoot({ sessionTtl: '1h' });
    const second = SessionsModule.forRootAsync({ useFactory: () => ({ adapter: new MemoryAdapter() }) });

    @Module({ imports: [first, SessionsModule.forFeature(Sessions)] })
    class AppModule {}

    const [problem, ...others] = await problemsOf(AppModule, second);
    expect(others).toEqual([]);
    const at = (call: string, row: number): string => `SessionsModule.${call} at ${import.meta.filename}:${row}:`;
    expect(problem).toContain(at('forRoot', line + 1));
    expect(problem).toContain(at('forRootAsync', line + 2));
  });

  it('is refused beside tables of SessionsTestingModule, which have options of their own', async () => {
    const [problem] = await problemsOf(SessionsTestingModule.forTables([Sessions]), inMemory());
    expect(problem).toMatch(/SessionsTestingModule\.forTables at .*one-set-up\.e2e-spec\.ts:\d+:\d+/);
    expect(problem).not.toContain('/testing/sessions-testing.module');
  });

  it('is said to be called nowhere in particular, where the process keeps no traces', async () => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    const calls = [inMemory(), inMemory()];
    Error.stackTraceLimit = stackTraceLimit;
    expect(await problemsOf(...calls, SessionsModule.forFeature(Sessions))).toEqual([
      inForRoot(rootTwice(['SessionsModule.forRoot', 'SessionsModule.forRoot'])),
    ]);
  });

  it('is one where several modules import the same', async () => {
    const root = inMemory();

    @Module({ imports: [root] })
    class OtherModule {}

    await compile(root, OtherModule, SessionsModule.forFeature(Sessions));
    await expect(module!.init()).resolves.toBeDefined();
  });
});

describe('forFeature with a list', () => {
  const named = { table: 'set_up_named' };

  it('registers all of its tables, classes and definitions, and exports what each alone would', async () => {
    @Module({
      imports: [SessionsModule.forFeature([Sessions, ApiKeys, named])],
      providers: [
        { provide: 'injected', useFactory: (...services: unknown[]) => services, inject: [Sessions, ApiKeys] },
      ],
    })
    class FeatureModule {}

    await compile(SessionsModule.forRoot({ adapter: new MemoryAdapter(), defaultTable: Sessions }), FeatureModule);
    await module!.init();
    const services = module!.get<SessionsService[]>('injected', { strict: false });
    expect(services).toEqual([module!.get(Sessions, { strict: false }), module!.get(ApiKeys, { strict: false })]);
    await services[1]!.create({});
    expect(await Promise.all(services.map((service) => service.count()))).toEqual([0, 1]);
  });

  it('is the same table where another module registers it too, in a list or alone', async () => {
    const features = [SessionsModule.forFeature([Sessions]), SessionsModule.forFeature([Sessions, ApiKeys])];
    const alone = SessionsModule.forFeature(ApiKeys);
    await compile(SessionsModule.forRoot({ adapter: new MemoryAdapter(), defaultTable: Sessions }), ...features, alone);
    await expect(module!.init()).resolves.toBeDefined();
  });
});
