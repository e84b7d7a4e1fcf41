import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start } from '../docs/quick-start.js';
import { pack, unpack } from '../package/pack.js';
import { createDatabase, type DatabaseName, type TestDatabase } from '../support/databases.js';
import { type Kind, NewcomerApp } from './newcomer-app.js';

const folder = mkdtempSync(join(tmpdir(), 'nest-sessions-newcomer-'));
const BUILT = 'dist/database/data-source.js';
const MIGRATIONS = 'src/database/migrations';

beforeAll(async () => {
  await unpack(await pack(folder), join(folder, 'unpacked'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each<[Kind, DatabaseName]>([
  ['esm', 'sqlite'],
  ['cjs', 'postgres'],
])('an application as the Nest CLI makes it (%s), on %s', (kind, databaseName) => {
  let app: NewcomerApp;
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(databaseName);
    const url = databaseName === 'sqlite' ? undefined : database.url;
    app = await NewcomerApp.generate(folder, kind, join(folder, 'unpacked/package'), url);
  });
  afterAll(() => database.drop());

  it('is built, with declarations', async () => {
    await expect(app.build()).resolves.not.toMatch(/error/i);
  });

  it('gets its tables by migrations of the TypeORM command line, which finds its entities by their files', async () => {
    await app.typeorm(BUILT, 'migration:generate', `${MIGRATIONS}/create`);
    await app.build();
    expect(await app.typeorm(BUILT, 'migration:run')).toMatch(/has been executed successfully/);
    expect(await app.typeorm(BUILT, 'migration:generate', '--check', `${MIGRATIONS}/none`)).toMatch(/No changes/);
  });

  it('has no migrations to make by a data source in TypeScript either', async () => {
    const ofSources = 'src/database/sources.ts';
    const code = readFileSync(join(app.folder, 'src/database/data-source.ts'), 'utf8');
    writeFileSync(join(app.folder, ofSources), code.replaceAll('dist/', 'src/').replaceAll(/\.js'\]/g, ".ts']"));
    expect(await app.typeorm(ofSources, 'migration:show')).toMatch(/\[X\]/);
    expect(await app.typeorm(ofSources, 'migration:generate', '--check', `${MIGRATIONS}/none`)).toMatch(/No changes/);
  });

  it('passes its own tests', async () => {
    expect(await app.unitTests()).toMatch(/Tests:? +2 passed/);
    expect(await app.endToEndTests()).toMatch(/Tests:? +20 passed/);
  });

  it('starts without a warning, and ends at SIGTERM', async () => {
    const running = await start(app.folder, 'dist/main.js', app.environment);
    expect((await fetch(`${running.url}/health`)).status).toBe(200);
    expect((await fetch(`${running.url}/v1/account/me`)).status).toBe(401);
    expect(await running.stop()).toBe('SIGTERM');
    expect(running.output()).not.toMatch(/warn|error/i);
  });
});
