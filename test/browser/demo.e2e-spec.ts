import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApiKeys } from '../../apps/demo/src/projects/api-keys.js';
import { SEEDED_LOGIN } from '../../apps/demo/src/seed/people.js';
import { seed } from '../../apps/demo/src/seed/seed.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { DemoApp } from '../demo/support/demo-app.js';
import { CHROMIUM, errorsOf, launch } from './support/chromium.js';
import { Keyboard } from './support/keyboard.js';

const PASSWORD = 'correct horse';
const DAY_MS = 86_400_000;

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0';

/** Where the screenshots of the README go, when they are to be made anew. */
const SCREENSHOTS = process.env['SCREENSHOTS'];

/** What a hostile page does to end the sessions of who looks at it. */
const ATTACKS: Readonly<Record<string, (url: string) => string>> = {
  'a form': (url) =>
    `<form method="post" action="${url}/account/devices/sign-out-everywhere"></form><script>document.forms[0].submit()</script>`,
  'an image': (url) => `<img src="${url}/account/devices/sign-out-everywhere">`,
  'a fetch': (url) =>
    `<script>fetch('${url}/account/devices/sign-out-everywhere', { method: 'POST', mode: 'no-cors', credentials: 'include' })</script>`,
  'a fetch of the API': (url) =>
    `<script>fetch('${url}/api/account/sign-out-everywhere', { method: 'POST', mode: 'no-cors', credentials: 'include' })</script>`,
};

describe.skipIf(CHROMIUM === undefined)('the demo in a browser', () => {
  let database: TestDatabase;
  let app: DemoApp;
  let browser: Browser;
  let url: string;
  beforeAll(async () => {
    database = await createDatabase('sqlite');
    [app, browser] = await Promise.all([DemoApp.start(database.url), launch()]);
    url = `http://127.0.0.1:${app.port}`;
    await seed(app.storage, { sessions: 400 });
  });
  afterAll(async () => {
    await browser.close();
    await app.close();
    await database.drop();
  });

  const contexts: BrowserContext[] = [];
  const errors: string[][] = [];
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    const found = errors.splice(0).flat();
    if (found.length > 0) throw new Error(`Errors on the pages:\n${found.join('\n')}`);
  });

  /** A browser of its own, with a page on which no error is to happen. */
  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ baseURL: url, ...options });
    contexts.push(context);
    const page = await context.newPage();
    errors.push(errorsOf(page));
    return page;
  }

  const heading = (page: Page) => page.locator('h1').innerText();

  /** Signs up somebody new on a page. */
  async function signUp(page: Page, email = `${randomUUID()}@example.com`): Promise<string> {
    await page.goto('/sign-up');
    await page.getByLabel('E-mail address').fill(email);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByRole('link', { name: 'outbox' }).click();
    await page.getByRole('article').filter({ hasText: email }).getByRole('link').click();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create the account' }).click();
    expect(await heading(page)).toBe('Your devices');
    return email;
  }

  async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
    await page.goto('/sign-in');
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect(await heading(page)).toBe('Your devices');
  }

  it('shows each device where its user is signed in, and one that is signed out is out at its next click (ASVS 7.4.1, 7.5.2)', async () => {
    const laptop = await open();
    const email = await signUp(laptop);
    const other = await open({ userAgent: FIREFOX });
    await signIn(other, email);
    await other.getByRole('link', { name: 'Statistics' }).click();
    expect(await heading(other)).toBe('Statistics');
    await laptop.reload();
    expect(await laptop.getByText('This device', { exact: true }).count()).toBe(1);
    await laptop.getByRole('button', { name: 'Sign out Firefox on Linux' }).click();
    expect(await laptop.getByRole('status').innerText()).toBe('The device is signed out.');
    await other.getByRole('link', { name: 'Activity' }).click();
    expect(await heading(other)).toBe('Sign in');
    expect(await other.locator('main').innerText()).toContain('This session was ended');
    // And back to where it wanted to go.
    await other.getByLabel('E-mail address').fill(email);
    await other.getByLabel('Password').fill(PASSWORD);
    await other.getByRole('button', { name: 'Sign in' }).click();
    expect(await heading(other)).toBe('Activity');
    expect(new URL(other.url()).pathname).toBe('/account/activity');
    await laptop.getByRole('link', { name: 'Statistics' }).click();
    expect(await heading(laptop)).toBe('Statistics');
  });

  it('shows on an open page at once what another device does, and that it was signed out there itself (ASVS 7.4.1)', async () => {
    const laptop = await open();
    const email = await signUp(laptop);
    const other = await open({ userAgent: FIREFOX });
    await signIn(other, email);
    await laptop.getByRole('button', { name: 'Sign out Firefox on Linux' }).waitFor();
    await laptop.getByRole('button', { name: 'Sign out Firefox on Linux' }).click();
    await other.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    expect(await other.locator('main').innerText()).toContain('This session was ended');
    expect(await heading(laptop)).toBe('Your devices');
  });

  it('makes a key that a machine can use, and a rotated one is refused after its time of grace (RFC 9700, 4.14.2)', async () => {
    const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await signUp(page);
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Engine');
    await page.getByRole('button', { name: 'Create the project' }).click();
    await page.getByLabel('Name', { exact: true }).fill('build server');
    await page.getByRole('button', { name: 'Create the key' }).click();
    const first = await page.locator('#key').innerText();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(first);
    const ask = async (key: string) => {
      const response = await fetch(`${url}/api/project`, { headers: { authorization: `Bearer ${key}` } });
      return response.ok ? ((await response.json()) as { name: string }).name : response.status;
    };
    expect(await ask(first)).toBe('Engine');

    await page.getByText('Rotate…').click();
    await page.getByRole('button', { name: 'Rotate build server' }).click();
    const second = await page.locator('#key').innerText();
    expect(second).not.toBe(first);
    expect([await ask(first), await ask(second)]).toEqual(['Engine', 'Engine']);
    await page.reload();
    expect(await page.content()).not.toContain(second);

    const keys = app.dataSource.getRepository(ApiKeys.entity);
    await keys.update({ name: 'build server' }, { rotatedAt: new Date(Date.now() - DAY_MS - 1000) });
    expect(await ask(second)).toBe('Engine');
    expect(await ask(first)).toBe(401);
    // Who still has the old one is a thief, or their victim: the key is ended.
    expect(await ask(second)).toBe(401);
    await page.reload();
    expect(await page.locator('tbody').innerText()).toContain('revoked');
  });

  it('is worked by the keyboard alone, and shows where one is', async () => {
    const page = await open();
    const keyboard = new Keyboard(page);
    await page.goto('/');
    await keyboard.to('Skip to the content');
    await keyboard.follow('Sign up');
    await keyboard.fill('E-mail address', `${randomUUID()}@example.com`);
    await keyboard.follow('Sign up');
    await keyboard.follow('outbox');
    await keyboard.follow(/^\/sign-up\/finish/);
    await keyboard.fill('Password', PASSWORD);
    await keyboard.follow('Create the account');
    expect(await heading(page)).toBe('Your devices');
    await keyboard.follow('API keys');
    await keyboard.fill('Name', 'Engine');
    await keyboard.follow('Create the project');
    await keyboard.fill('Name', 'build server');
    await keyboard.to(/^project:write/);
    await page.keyboard.press('Space');
    await keyboard.follow('Create the key');
    expect(await page.locator('#key').innerText()).toMatch(/^key_/);
    await keyboard.to(/^Revoke… build server$/);
    await page.keyboard.press('Enter');
    await keyboard.follow(/^Revoke build server$/);
    expect(await page.getByRole('status').innerText()).toBe('The key has been revoked.');
    await keyboard.follow('Sign out');
    expect(await heading(page)).toBe('Sign in');
  });

  it('shows the routes of its API on a page that takes nothing from elsewhere', async () => {
    const page = await open();
    await page.goto('/docs');
    const route = page.locator('#operations-Auth-AuthController_login').getByText('Log in');
    await route.waitFor();
    expect(await route.isVisible()).toBe(true);
  });

  it('works without JavaScript', async () => {
    const page = await open({ javaScriptEnabled: false });
    await signUp(page);
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Engine');
    await page.getByRole('button', { name: 'Create the project' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(await heading(page)).toBe('Sign in');
  });

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    it('has nothing that axe-core finds to be serious', async () => {
      // What looks at the page is itself put into it, which the page's policy would not allow.
      const page = await open({ colorScheme, bypassCSP: true });
      const found: string[] = [];
      const check = async (path: string): Promise<void> => {
        await page.goto(path);
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate<AxeResults>('axe.run()');
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        found.push(...serious.map(({ id, nodes }) => `${path}: ${id} at ${nodes.map(({ target }) => target).join()}`));
      };
      for (const path of ['/sign-in', '/sign-up', '/sign-up/sent', '/dev/outbox', '/statistics', '/nowhere'])
        await check(path);
      await signIn(page, SEEDED_LOGIN.email, SEEDED_LOGIN.password);
      const key = '/account/keys';
      await page.goto(key);
      const project = await page.locator('main a.card').first().getAttribute('href');
      const devices = ['/account/devices', '/account/devices?show=ended'];
      for (const path of [...devices, key, project!, '/account/activity', '/account/password', '/account/confirm'])
        await check(path);
      expect(found).toEqual([]);
    });
  });

  describe('beside a page of somebody else', () => {
    let hostile: Server;
    let hostileUrl: string;
    beforeAll(async () => {
      hostile = createServer((request, response) => {
        response.setHeader('Content-Type', 'text/html');
        response.end(ATTACKS[decodeURIComponent(request.url!.slice(1))]?.(url) ?? '');
      });
      await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
      // Another origin of the same site, where SameSite keeps no cookie back.
      hostileUrl = `http://127.0.0.1:${(hostile.address() as AddressInfo).port}`;
    });
    afterAll(() => new Promise((resolve) => hostile.close(resolve)));

    it.each(Object.keys(ATTACKS))('keeps its users signed in: %s (ASVS 3.5.1)', async (attack) => {
      const page = await open();
      await signUp(page);
      // A page that asks for nothing by itself.
      await page.goto('/statistics');
      // Errors there are nobody's concern here.
      errors.pop();
      const arrived = once(app.server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
      await page.goto(`${hostileUrl}/${attack}`);
      const [request, response] = await arrived;
      if (!response.writableFinished) await once(response, 'finish');
      expect(request.headers.cookie).toMatch(/^__Host-session=/);
      expect(response.statusCode).toBeGreaterThanOrEqual(400);
      await page.goto(`${url}/account/devices`);
      expect(await heading(page)).toBe('Your devices');
    });
  });

  it('looks as the README shows it', async () => {
    const folder = SCREENSHOTS ?? join(process.cwd(), 'reports', 'screenshots');
    mkdirSync(folder, { recursive: true });
    const shots = [
      ['devices', '/account/devices', 'light'],
      ['statistics', '/statistics', 'dark'],
    ] as const;
    for (const [name, path, colorScheme] of shots) {
      const page = await open({ colorScheme, viewport: { width: 1100, height: 720 }, deviceScaleFactor: 1 });
      await signIn(page, SEEDED_LOGIN.email, SEEDED_LOGIN.password);
      await page.goto(path);
      const image = await page.screenshot({ path: join(folder, `${name}.png`) });
      expect(image.length).toBeGreaterThan(10_000);
    }
  });
});
