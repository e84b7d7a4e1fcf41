import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, describeStorages, type TestDatabase } from '../support/databases.js';
import { buildDemo, DemoProcess, type Finished, run } from './support/demo-process.js';

/** The walk-through is for bash and curl, which a machine with Node.js alone may not have. */
const missing = ['bash', 'curl'].filter((command) => spawnSync(command, ['--version']).error !== undefined);
if (missing.length > 0) {
  const reason = `the walk-through of the demo needs ${missing.join(' and ')}, not installed here`;
  if (process.env['CI']) throw new Error(`CI skips nothing, and ${reason}.`);
  console.log(`SKIPPED: ${reason}.`);
}
const needsShell = { skip: missing.length > 0 };

let folder: string;
beforeAll(async () => {
  await buildDemo();
  folder = mkdtempSync(join(tmpdir(), 'nest-sessions-demo-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const walkthroughOf = (demo: DemoProcess): Promise<string> => demo.printed(/^URL=/m, /^# That is all\..*$/m);

/** The statuses that the steps of the walk-through end with, in their order. */
const STATUSES = [202, 403, 200, 200, 401, 200, 204, 401, 200, 200, 200, 200, 200, 403, 401, 200, 200, 200, 401, 200];

const statusesOf = ({ stdout }: Finished): number[] =>
  [...stdout.matchAll(/ \((\d{3})\)$/gm)].map(([, status]) => Number(status));

/** What the log of activity shows, newest first. */
const typesOf = ({ stdout }: Finished): string[] =>
  [...stdout.matchAll(/"at":"[^"]+","type":"(\w+)","reason":(?:"(\w+)"|null)/g)].map(([, type, reason]) =>
    [type, reason].filter((part) => part !== undefined).join(': '),
  );

describeStorages('the walk-through that the demo prints', (name) => {
  let database: Pick<TestDatabase, 'url' | 'drop'>;
  let demo: DemoProcess;
  beforeAll(async () => {
    database = name === 'memory' ? { url: 'memory:', drop: async () => {} } : await createDatabase(name);
    demo = new DemoProcess(folder, { DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await demo.stop('SIGTERM');
    await database.drop();
  });

  it('works when it is pasted into bash', needsShell, async () => {
    const walk = await run('bash', ['-c', await walkthroughOf(demo)]);
    expect(walk).toMatchObject({ code: 0, stderr: '' });
    expect(statusesOf(walk)).toEqual(STATUSES);
    expect(walk.stdout).toMatch(/"device":"Tablet".*"status":"revoked","reason":"signed_out","device":"Phone"/);
    expect(walk.stdout).toMatch(
      /"name":"Engine","key":\{"id":"[^"]+","name":"build server","scopes":\["project:read"\]\}/,
    );
    expect(walk.stdout).toMatch(
      /WWW-Authenticate: Bearer realm="api", error="insufficient_scope", scope="project:write"\r\n/,
    );
    expect(walk.stdout).toContain('{"total":3,"valid":1,"expired":0,"revoked":2}');
    expect(typesOf(walk)).toEqual([
      'revoked: credentials_changed',
      'reauthenticated',
      'rotated',
      'refused: revoked',
      'revoked: signed_out',
      'created',
      'created',
      'created',
    ]);
    expect(walk.stdout.match(/\{"signedOut":1\}/g)).toHaveLength(2);
    expect(walk.stdout).toMatch(/HTTP\/1.1 401 .*\r\nWWW-Authenticate: Bearer realm="api", error="invalid_token"\r\n/s);
  });

  it('works again on the same database when the demo was stopped and started', needsShell, async () => {
    const stopped = await demo.stop('SIGTERM');
    expect(stopped).toMatchObject({ signal: 'SIGTERM', stderr: '' });
    demo = new DemoProcess(folder, { DATABASE_URL: database.url });
    const walk = await run('bash', ['-c', await walkthroughOf(demo)]);
    expect(statusesOf(walk)).toEqual(STATUSES);
  });
});

describe('the demo', () => {
  it('keeps its data in the working folder unless it is told otherwise, and stops on Ctrl+C', async () => {
    const demo = new DemoProcess(folder, { DATABASE_URL: '' });
    await walkthroughOf(demo);
    expect(await demo.stop('SIGINT')).toMatchObject({ signal: 'SIGINT', stderr: '' });
    expect(existsSync(join(folder, 'demo.sqlite'))).toBe(true);
  });

  it('shows the expiry job at work', async () => {
    const settings = { DATABASE_URL: 'sqlite:job.sqlite', DEMO_SESSION_TTL: '1s', DEMO_PRUNING_INTERVAL: '0.1s' };
    const demo = new DemoProcess(folder, settings);
    const [, url] = /^URL=(.*)$/m.exec(await walkthroughOf(demo))!;
    const send = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const post = (route: string, body: object): Promise<Response> =>
      fetch(`${url}/api/${route}`, { ...send, body: JSON.stringify(body) });
    await post('sign-up', { email: 'ada@example.com' });
    const [, token] = /token=([\w-]+)/.exec(await (await fetch(`${url}/dev/outbox`)).text())!;
    await post('sign-up/finish', { token, password: 'correct horse' });
    expect(await demo.printed(/Deleted \d+ expired rows of "sessions"/, /$/m)).toContain('expired');
    await demo.stop('SIGTERM');
  });

  it('shows nobody its mail in production', async () => {
    const demo = new DemoProcess(folder, { DATABASE_URL: 'memory:', NODE_ENV: 'production' });
    const [, url] = /^URL=(.*)$/m.exec(await walkthroughOf(demo))!;
    expect((await fetch(`${url}/dev/outbox`)).status).toBe(404);
    await demo.stop('SIGTERM');
  });

  it.each([
    ['PORT', 'x', 'PORT must be a whole number from 0 to 65535, not "x".'],
    ['DEMO_SESSION_TTL', 'soon', 'sessionTtl must be a number of seconds'],
    ['DATABASE_URL', 'oracle://user:secret@host/db', 'DATABASE_URL must be memory:, or begin with'],
  ])('says why it does not start: %s=%s', async (setting, value, reason) => {
    const demo = new DemoProcess(folder, { DATABASE_URL: 'sqlite::memory:', [setting]: value });
    const { code, stderr } = await demo.ended;
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain('secret');
  });
});
