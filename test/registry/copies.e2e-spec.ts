import { type CanActivate, Controller, Get, type ModuleMetadata, type Type, UseGuards } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { inTable } from '../../libs/sessions/src/errors/messages.js';
import { COPIES, NO_TABLES, OF_ANOTHER_COPY } from '../../libs/sessions/src/registry/messages.js';
import { useCompiledLibrary } from '../support/compiled-library.js';
import { errorOf } from '../support/sessions.js';

type Library = typeof import('@app/sessions');
type Testing = typeof import('../../libs/sessions/src/testing/index.js');

/** A package manager that installs the package twice gives two copies of the built files, as here. */
describe('two copies of the package', () => {
  const addresses = [useCompiledLibrary(), useCompiledLibrary()];
  let ours: Library;
  let theirs: Library;
  let theirTesting: Testing;
  beforeAll(async () => {
    [ours, theirs] = (await Promise.all(addresses.map((address) => import(address())))) as [Library, Library];
    theirTesting = (await import(addresses[1]!().replace('index.js', 'testing/index.js'))) as Testing;
  });

  let module: TestingModule | undefined;
  afterEach(async () => {
    await module?.close();
    module = undefined;
  });

  async function start(metadata: ModuleMetadata): Promise<TestingModule> {
    module = await Test.createTestingModule(metadata).compile();
    return module.init();
  }

  /** The problems of an application, each copy of which has errors of its own. */
  async function problemsOf(metadata: ModuleMetadata): Promise<unknown> {
    const error = await errorOf(start(metadata));
    expect(error['code']).toBe('ERR_SESSIONS_CONFIG');
    return error['problems'];
  }

  const tableOf = (library: Library): ReturnType<typeof define> => define(library);
  const define = ({ SessionsTable }: Library) => class Sessions extends SessionsTable({ table: 'copied_sessions' }) {};
  const rootOf = ({ SessionsModule, MemoryAdapter }: Library) =>
    SessionsModule.forRoot({ adapter: new MemoryAdapter(), pruning: false });

  function controllerWith(guard: Type<CanActivate>): Type {
    @UseGuards(guard)
    @Controller()
    class Routes {
      @Get()
      get(): void {}
    }
    return Routes;
  }

  it('are two, each with its own guard', () => {
    expect(ours.SessionGuard).not.toBe(theirs.SessionGuard);
  });

  it.each([
    ['the plain guard', ({ SessionGuard }: Library) => SessionGuard],
    ['a guard of a table', ({ SessionGuard }: Library) => SessionGuard.for('copied_sessions')],
  ])('are said to be two, where %s is from one and the module from the other', async (_, guardOf) => {
    const imports = [rootOf(ours), ours.SessionsModule.forFeature(tableOf(ours))];
    expect(await problemsOf({ imports, controllers: [controllerWith(guardOf(theirs))] })).toEqual([COPIES]);
  });

  it('are said to be two, where forRoot is from one and forFeature from the other', async () => {
    const table = tableOf(theirs);
    expect(await problemsOf({ imports: [rootOf(ours), theirs.SessionsModule.forFeature(table)] })).toEqual([COPIES]);
  });

  it('are said to be two, where the class of a table is from one and the module from the other', async () => {
    const imports = [rootOf(ours), ours.SessionsModule.forFeature(tableOf(theirs))];
    expect(await problemsOf({ imports })).toEqual([inTable('copied_sessions', OF_ANOTHER_COPY)]);
  });

  it('are said to be two, where a test acts as somebody by the other', async () => {
    const app = await start({ imports: [rootOf(ours), ours.SessionsModule.forFeature(tableOf(ours))] });
    const error = await errorOf(theirTesting.actingAs(app, 'copied_sessions', {}));
    expect(error['problems']).toEqual([COPIES]);
  });

  it('work side by side, each in an application of its own', async () => {
    for (const library of [ours, theirs]) {
      const imports = [rootOf(library), library.SessionsModule.forFeature(tableOf(library))];
      const app = await start({ imports, controllers: [controllerWith(library.SessionGuard)] });
      expect(await app.get(library.SessionsService).count()).toBe(0);
      await app.close();
    }
  });

  it('are not what is wrong, where there is no module at all', async () => {
    expect(await problemsOf({ controllers: [controllerWith(ours.SessionGuard)] })).toEqual([NO_TABLES]);
  });
});
