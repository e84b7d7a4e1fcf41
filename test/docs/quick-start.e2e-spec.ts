import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commonJs, compileLibrary, javascript } from '../support/compiled-library.js';
import { ROOT } from './documents.js';
import { commonJsQuickStart, quickStart, type QuickStart, start, walkThrough } from './quick-start.js';

describe('the quick start of the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nest-sessions-quick-start-'));
  let app: QuickStart;
  beforeAll(async () => {
    installLibrary(folder);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'main.js'), javascript(quickStart()));
    app = await start(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is short', () => {
    expect(
      quickStart()
        .split('\n')
        .filter((line) => line !== '').length,
    ).toBeLessThanOrEqual(50);
  });

  it('logs in, answers a guarded route, logs out and refuses the token from then on', async () => {
    const { me, loggedOut, statuses } = await walkThrough(app.url);
    expect(me).toMatchObject({ userId: 'ann', isExpired: false, data: {} });
    expect(loggedOut).toEqual({ loggedOut: true });
    expect(statuses).toEqual([201, 200, 201, 401]);
  });

  it('refuses who has no token', async () => {
    const response = await fetch(`${app.url}/me`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="api"');
  });

  it('tells who forgets the body of a log-in what is missing, and prints nothing', async () => {
    const before = app.output();
    const response = await fetch(`${app.url}/login`, { method: 'POST' });
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        statusCode: 400,
        message: 'userId is required.',
        error: 'Bad Request',
        errorCode: 'ERR_SESSION_INVALID',
        errors: { userId: 'is required' },
      },
    ]);
    expect(app.output()).toBe(before);
  });

  it('ends at SIGTERM, and has printed no warning and no error until then', async () => {
    expect(await app.stop()).toBe('SIGTERM');
    expect(app.output()).not.toMatch(/warn|error/i);
  });
});

describe('the quick start of the README in CommonJS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nest-sessions-quick-start-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('does the same', async () => {
    installLibrary(folder);
    writeFileSync(join(folder, 'main.cjs'), commonJs(commonJsQuickStart()));
    const app = await start(folder, 'main.cjs');
    expect((await walkThrough(app.url)).statuses).toEqual([201, 200, 201, 401]);
    await app.stop();
    expect(app.output()).not.toMatch(/warn|error/i);
  });
});

/** A node_modules with the packages of the repository and the library, compiled file by file. */
function installLibrary(folder: string): void {
  const modules = join(folder, 'node_modules');
  const library = join(modules, 'nest-sessions');
  mkdirSync(library, { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'junction');
  }
  cpSync(join(ROOT, 'libs/sessions/package.json'), join(library, 'package.json'));
  compileLibrary(join(library, 'dist'));
}
