import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createDatabase, describeStorages, SERVERS, type TestDatabase } from '../support/databases.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { UNTIL_IT_HANGS } from '../support/until.js';
import { Sessions } from '../../apps/demo/src/sessions/sessions.js';
import { DailyCount } from '../../apps/demo/src/statistics/daily-count.entity.js';
import { dayOf } from '../../apps/demo/src/statistics/daily-counts.js';
import { Browser, SAFARI, type Shown } from './support/browser.js';
import { DemoApp } from './support/demo-app.js';
import { Person } from './support/person.js';
import { digestOf } from '../support/digest.js';

const HOSTILE = `<img src=x onerror="alert(1)">'&amp;`;
const ENDED = 'This session was ended.';

describeStorages('the pages', (name) => {
  it('are for who signs in with a browser, as the API is for programs', async () => {
    const { app, close } = await start(name);
    const ada = await Person.new(app);
    const browser = new Browser(app);
    expect((await browser.get('/')).heading).toBe('Sign in');
    const devices = await browser.post('/sign-in', ada.credentials);
    expect(devices.text).toContain(`Your devices Signed in as ${ada.email} . Firefox on Linux This device`);
    expect(await app.send('GET', '/api/me', { token: browser.token })).toMatchObject({ status: 200 });

    await browser.post('/account/keys', { name: 'Engine' });
    const project = await projectOf(browser);
    const made = await browser.post(project, { name: 'build server', scopes: 'project:read' });
    expect(await app.send('GET', '/api/project', { token: keyOn(made) })).toMatchObject({ status: 200 });
    expect((await browser.get(project)).text).toContain('build server project:read valid');

    expect((await browser.get('/account/activity')).text).toContain('Signed in Firefox on Linux just now');
    // A page does not wait for what takes long to count.
    const statistics = await vi.waitFor(async () => {
      const page = await browser.get('/statistics');
      expect(page.text).toContain('Total 2 Valid 2 Expired 0 Revoked 0');
      return page;
    }, UNTIL_IT_HANGS);
    expect(statistics.text).toContain(`${dayOf(new Date())} 2 0`);
    expect(statistics.text).toMatch(/(sessions|api_keys) [1-9]\d* [1-9]\d* 0 0 \d+/);
    await close();
  });
});

describe('the pages', () => {
  let app: DemoApp;
  let close: () => Promise<void>;
  let ada: Person;
  let bob: Person;
  beforeAll(async () => {
    ({ app, close } = await start('sqlite'));
    [ada, bob] = await Promise.all([Person.new(app), Person.new(app)]);
  });
  afterAll(() => close());

  describe('signing up', () => {
    /** A browser that has followed the link of a mail. */
    async function linkedTo(email: string): Promise<{ browser: Browser; token: string; page: Shown }> {
      const browser = new Browser(app);
      await browser.post('/sign-up', { email });
      const link = (await browser.get('/dev/outbox')).links.find((path) => path.startsWith('/sign-up/'));
      return { browser, token: link!.split('=')[1]!, page: await browser.get(link!) };
    }

    it('goes by a link, and signs in by a cookie that no script and no other site gets (ASVS 3.3.1 to 3.3.4)', async () => {
      const { browser, token, page } = await linkedTo('carol@example.com');
      expect(page).toMatchObject({ status: 200, heading: 'Choose a password' });
      expect(page.html).toContain('value="carol@example.com"');
      const devices = await browser.post('/sign-up/finish', { token, password: 'correct horse' });
      expect(devices).toMatchObject({ status: 200, path: '/account/devices?done=signed-up', heading: 'Your devices' });
      expect(devices.text).toContain('Welcome!');
      expect(browser.received).toEqual([
        expect.stringMatching(/^__Host-session=[\w-]{64}; Path=\/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax$/),
      ]);
    });

    it('keeps what was typed, but for the password, and says at each field what is wrong (WCAG 3.3.1)', async () => {
      const browser = new Browser(app);
      const again = await browser.post('/sign-up', { email: HOSTILE });
      expect(again).toMatchObject({ status: 400, heading: 'Sign up' });
      expect(again.field('email').problem).toBe('E-mail address must be an e-mail address.');
      expect(again.field('email').tag).toContain(
        'value="&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;amp;"',
      );
      expect(again.field('email').tag).toMatch(/aria-invalid="true"\s+autofocus/);
      expect(again.links).toContain('#email');
      expect(again.html).toMatch(/<title>\s*Error: /);
      const linked = await linkedTo('dora@example.com');
      const short = await linked.browser.post('/sign-up/finish', { token: linked.token, password: 'secret' });
      expect(short).toMatchObject({ status: 400, heading: 'Choose a password' });
      expect(short.field('password').problem).toBe('Password must have 8 to 1000 characters.');
      expect(short.html).not.toContain('secret');
      expect(linked.browser.cookies.size).toBe(0);
    });

    it('shows the same whether an address is known, and its mail tells the rest', async () => {
      const browser = new Browser(app);
      const [unknown, known] = [
        await browser.post('/sign-up', { email: 'erin@example.com' }),
        await browser.post('/sign-up', { email: ada.email }),
      ];
      expect(known).toMatchObject({ status: 200, path: '/sign-up/sent', heading: 'Check your mail' });
      expect(known.html).toBe(unknown.html);
      expect((await browser.get('/dev/outbox')).text).toContain(`You already have an account To ${ada.email} `);
    });

    it.each(['', '?token=x', '?token=a&token=b'])('has no page for no link: %s', async (query) => {
      const page = await new Browser(app).get(`/sign-up/finish${query}`);
      expect(page).toMatchObject({ heading: 'This link does not work' });
    });

    it('goes by no link twice', async () => {
      const { browser, token } = await linkedTo('fay@example.com');
      await browser.post('/sign-up/finish', { token, password: 'correct horse' });
      const again = await new Browser(app).post('/sign-up/finish', { token, password: 'correct horse' });
      expect(again).toMatchObject({ status: 400, heading: 'This link does not work' });
    });
  });

  describe('signing in', () => {
    it('answers an unknown address as it answers a wrong password', async () => {
      const browser = new Browser(app);
      const sent = { email: ada.email, password: 'wrong horse' };
      const [wrong, unknown] = [
        await browser.post('/sign-in', sent),
        await browser.post('/sign-in', { ...sent, email: 'nobody@example.com' }),
      ];
      expect(wrong.status).toBe(400);
      expect(wrong.field('password').problem).toBe('The e-mail address or the password is wrong.');
      expect(unknown.html.replace('nobody@example.com', ada.email)).toBe(wrong.html);
      expect(browser.cookies.size).toBe(0);
    });

    it.each([
      ['nothing', {}, 'E-mail address is required.'],
      ['an empty field', { email: '', password: '' }, 'E-mail address is required.'],
      ['two fields of one name', { email: ['a@example.com', 'b@example.com'] }, 'E-mail address must be text.'],
      ['a field with parts', { 'email[x]': 'a@example.com' }, 'E-mail address must be text.'],
      ['a field of every object', { __proto__: 'x', constructor: 'x' }, 'E-mail address is required.'],
    ])('is refused for %s', async (_, fields, problem) => {
      const again = await new Browser(app).post('/sign-in', fields);
      expect(again).toMatchObject({ status: 400, heading: 'Sign in' });
      expect(again.field('email').problem).toBe(problem);
    });

    it('leads back to the page that was asked for', async () => {
      const browser = new Browser(app);
      const signIn = await browser.get('/account/keys?x=1&y=2');
      expect(signIn).toMatchObject({ heading: 'Sign in', path: '/sign-in?next=%2Faccount%2Fkeys%3Fx%3D1%26y%3D2' });
      expect(signIn.html).toContain('name="next" value="/account/keys?x=1&amp;y=2"');
      const keys = await browser.post('/sign-in', { ...ada.credentials, next: '/account/keys?x=1&y=2' });
      expect(keys).toMatchObject({ status: 200, path: '/account/keys?x=1&y=2' });
    });

    it('says so where the browser keeps no cookie, as Safari keeps none without HTTPS', async () => {
      const browser = new Browser(app);
      const next = '/account/keys';
      browser.keepsCookies = false;
      await browser.get('/sign-in');
      const lost = await browser.post('/sign-in', { ...ada.credentials, next });
      expect(lost).toMatchObject({ status: 200, heading: 'Sign in' });
      expect(lost.text).toContain('Your browser did not keep the cookie');
      expect(lost.html).toContain(`name="next" value="${next}"`);
    });

    it('never leads to another site (ASVS 3.7.2)', async () => {
      const browser = new Browser(app);
      expect((await browser.get('/sign-in?next=https://evil.example/')).html).not.toContain('evil');
      const next = '//evil.example/account/devices';
      expect(await browser.post('/sign-in', { ...ada.credentials, next })).toMatchObject({ path: '/account/devices' });
    });

    it('replaces the session that the browser has (ASVS 7.2.4)', async () => {
      const browser = await Browser.of(bob);
      const before = browser.token;
      await browser.post('/sign-in', ada.credentials);
      expect(browser.token).not.toBe(before);
      expect(await app.send('GET', '/api/me', { token: before })).toMatchObject({ status: 401 });
    });
  });

  describe('a request from another site', () => {
    const CROSS = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' };

    it.each([
      ['/sign-in', 'signs nobody in as somebody else'],
      ['/sign-up', 'sends no mail'],
      ['/sign-up/finish', 'makes no account'],
    ])('by POST %s %s (ASVS 3.5.1)', async (path) => {
      const browser = new Browser(app);
      const sent = {
        email: 'mallory@example.com',
        password: 'correct horse',
        ...(path === '/sign-in' && ada.credentials),
      };
      expect(await browser.post(path, sent, CROSS)).toMatchObject({
        status: 403,
        heading: 'Request from another site',
      });
      expect(browser.cookies.size).toBe(0);
    });

    it('changes nothing by any form of any page, nor does one of a host of the same site (ASVS 3.5.1)', async () => {
      const browser = Browser.as(ada);
      const other = await ada.session();
      const project = `/account/keys/${await ada.project('Loom')}`;
      await browser.post(project, { name: 'mine', scopes: 'project:read' });
      const pages = ['/account/devices', '/account/keys', project, '/account/password', '/account/confirm'];
      const shown = await Promise.all(pages.map((path) => browser.get(path)));
      const forms = new Set(shown.flatMap((page) => page.forms));
      expect(forms.size).toBeGreaterThan(9);
      for (const action of forms) {
        for (const site of ['cross-site', 'same-site']) {
          const fields = { name: 'theirs', scopes: 'project:read', password: 'battery staple' };
          const answer = await browser.post(action, fields, { ...CROSS, 'Sec-Fetch-Site': site });
          expect(answer).toMatchObject({ status: 403, heading: 'Request from another site' });
        }
      }
      expect(await app.send('GET', '/api/me', { token: other })).toMatchObject({ status: 200 });
      expect((await browser.get(project)).text).not.toContain('theirs');
      expect((await browser.get('/account/keys')).text).not.toContain('theirs');
    });

    it('changes nothing by a link or an image either: what changes something is no GET (ASVS 3.5.3)', async () => {
      const browser = Browser.as(ada);
      const { forms } = await browser.get('/account/devices');
      for (const action of forms) await browser.get(action, { ...CROSS, 'Sec-Fetch-Dest': 'image' });
      expect((await browser.get('/account/devices')).heading).toBe('Your devices');
    });

    it('is not what a program sends: the API is as it was', async () => {
      expect(await app.send('POST', '/api/login', { body: bob.credentials })).toMatchObject({ status: 200 });
    });
  });

  describe('the devices', () => {
    it('are named, this one first, and without a token (ASVS 7.5.2)', async () => {
      const person = await Person.new(app);
      const [browser, phone] = [await Browser.of(person), await Browser.of(person, SAFARI)];
      await app.sessions.create({ userId: person.id, data: { userAgent: HOSTILE } });
      const page = await browser.get('/account/devices');
      expect(page.text).toMatch(/Firefox on Linux This device .* Other devices Signed in 3 Ended 0 /);
      expect(page.text).toContain('Safari on iPhone not yet');
      expect(page.text).toContain(`Sign out ${HOSTILE}`);
      expect(page.html).not.toMatch(/<img src=x/);
      for (const { token } of [browser, phone]) expect(page.html).not.toContain(token);
    });

    it('are signed out one by one, and are told so at their next click, and led back (ASVS 7.4.1)', async () => {
      const person = await Person.new(app);
      const [browser, phone] = [await Browser.of(person), await Browser.of(person, SAFARI)];
      await phone.get('/account/keys');
      const { forms } = await browser.get('/account/devices');
      const signOuts = forms.filter((action) => action.endsWith('/sign-out') && action !== '/sign-out');
      const ids = (await person.sessions()).filter(({ device }) => device === SAFARI).map(({ id }) => id);
      expect(signOuts).toContain(`/account/devices/${ids[0]}/sign-out`);
      const after = await browser.post(`/account/devices/${ids[0]}/sign-out`);
      expect(after.text).toContain('The device is signed out.');
      const again = await browser.post(`/account/devices/${ids[0]}/sign-out`);
      expect(again.text).toContain('That session had already ended.');

      const told = await phone.get('/account/activity');
      expect(told).toMatchObject({ status: 200, heading: 'Sign in' });
      expect(told.text).toContain(ENDED);
      expect(phone.cookies.size).toBe(0);
      const back = await phone.post('/sign-in', { ...person.credentials, next: '/account/activity' });
      expect(back).toMatchObject({ status: 200, heading: 'Activity' });
    });

    it('lead back to the page whose form was sent when the session had ended', async () => {
      const browser = await Browser.of(ada);
      const path = `/account/keys/${await ada.project()}`;
      await browser.get(path);
      await app.send('POST', '/api/logout', { token: browser.token });
      const told = await browser.post(path, { name: 'too late', scopes: 'project:read' });
      expect(told.text).toContain(ENDED);
      expect(told.html).toContain(`name="next" value="${path}"`);
    });

    it('are the own ones: those of another are not signed out (ASVS 8.2.2)', async () => {
      const [id] = (await bob.sessions()).map((session) => session.id);
      const after = await Browser.as(ada).post(`/account/devices/${id}/sign-out`);
      expect(after.text).toContain('That session had already ended.');
      expect(await bob.get('/api/me')).toMatchObject({ status: 200 });
    });

    it('all others are signed out at once, or all of them, and the own browser may sign out alone', async () => {
      const person = await Person.new(app);
      const [browser, phone, tablet] = await Promise.all([1, 2, 3].map(() => Browser.of(person)));
      expect((await browser!.post('/account/devices/sign-out-others')).text).toContain(
        'You are not signed in anywhere else.',
      );
      expect((await phone!.get('/account/devices')).text).toContain(ENDED);
      await phone!.post('/sign-in', person.credentials);
      expect((await browser!.post('/account/devices/sign-out-everywhere')).text).toContain('signed out everywhere');
      expect(browser!.cookies.size).toBe(0);
      expect((await phone!.get('/account/devices')).text).toContain(ENDED);
      await phone!.post('/sign-in', person.credentials);
      const out = await phone!.post('/sign-out');
      expect(out.text).toContain('You are signed out.');
      expect(out.text).not.toContain(ENDED);
      expect((await tablet!.post('/sign-out')).text).toContain('You are signed out.');
    });

    it('are shown in parts, with the ended ones apart, however many there are', async () => {
      const person = await Person.new(app);
      const browser = await Browser.of(person);
      await app.storage.insertAll(Sessions.entity, rowsOf(person.id, 1000));
      const first = await browser.get('/account/devices?show=ended');
      expect(first.text).toContain('Other devices Signed in 1 Ended 1,000 ');
      expect(first.text).toContain('Page 1 of 50');
      expect(first.html.match(/<tr/g)).toHaveLength(21);
      expect(first.links).toContain('/account/devices?show=ended&page=2');
      const last = await browser.get('/account/devices?show=ended&page=77');
      expect(last.text).toContain('Page 50 of 50');
      expect(last.text).toMatch(/device 0 .*: signed out/);
    });
  });

  describe('the keys', () => {
    it('are shown once, and not by loading the page again (ASVS 14.3.2)', async () => {
      const browser = Browser.as(ada);
      const project = `/account/keys/${await ada.project()}`;
      const made = await browser.post(project, { name: HOSTILE, scopes: ['project:read', 'project:write'] });
      const key = keyOn(made);
      expect(made).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' } });
      expect(made.text).toContain(`Your key “${HOSTILE}”`);
      const listed = await browser.get(project);
      expect(listed.text).toContain(`${HOSTILE} project:read project:write valid`);
      expect(listed.html).not.toContain(key);
      expect(listed.html).not.toMatch(/<img src=x/);
    });

    it('are rotated, where the one before works for a day, and revoked', async () => {
      const browser = Browser.as(ada);
      const project = `/account/keys/${await ada.project()}`;
      const before = keyOn(await browser.post(project, { name: 'build server', scopes: 'project:read' }));
      const { forms } = await browser.get(project);
      const [rotate, revoke] = ['rotate', 'revoke'].map((what) => forms.find((action) => action.endsWith(what))!);
      const rotated = await browser.post(rotate!);
      expect(rotated.text).toContain('works for one more day');
      const machine = async (key: string): Promise<number> =>
        (await app.send('GET', '/api/project', { token: key })).status;
      expect(await Promise.all([before, keyOn(rotated)].map(machine))).toEqual([200, 200]);
      expect(await browser.get(rotate!)).toMatchObject({ status: 200, path: project });

      expect((await browser.post(revoke!)).text).toContain('The key has been revoked.');
      expect(await Promise.all([before, keyOn(rotated)].map(machine))).toEqual([401, 401]);
      expect((await browser.post(revoke!)).text).toContain('had already been revoked');
      expect((await browser.get(project)).forms).not.toContain(revoke);
      expect(await browser.post(rotate!)).toMatchObject({ status: 404, heading: 'Page not found' });
    });

    it('are made with a name, and for something', async () => {
      const browser = Browser.as(ada);
      const project = `/account/keys/${await ada.project()}`;
      const again = await browser.post(project, { name: ' ' });
      expect(again.status).toBe(400);
      expect(again.field('name').problem).toBe('Name must not be blank.');
      expect(again.field('scopes').problem).toBe('Scopes must be a list of project:read, project:write.');
      const kept = await browser.post(project, { name: 'x'.repeat(101), scopes: 'project:write' });
      expect(kept.html).toMatch(/value="project:write"\s+checked/);
      expect(kept.html).not.toMatch(/value="project:read"\s+checked/);
      expect((await browser.post('/account/keys', { name: '' })).field('name').problem).toBe('Name is required.');
    });

    it('are those of the own projects (ASVS 8.2.2)', async () => {
      const project = await ada.project();
      const { id } = await ada.key(project);
      const stranger = Browser.as(bob);
      for (const path of [`/account/keys/${project}`, '/account/keys/x'])
        expect(await stranger.get(path)).toMatchObject({ status: 404, heading: 'Page not found' });
      for (const action of ['', `/${id}/rotate`, `/${id}/revoke`])
        expect(await stranger.post(`/account/keys/${project}${action}`)).toMatchObject({ status: 404 });
      const own = `/account/keys/${await bob.project()}`;
      expect(await stranger.post(`${own}/${id}/rotate`)).toMatchObject({ status: 404 });
      expect((await stranger.post(`${own}/${id}/revoke`)).text).toContain('had already been revoked');
      expect(await ada.keys(project)).toMatchObject([{ status: 'valid' }]);
    });
  });

  it('want the password again before it is changed, and lead back (ASVS 7.5.1)', async () => {
    const person = await Person.new(app);
    const [browser, phone] = [await Browser.of(person), await Browser.of(person, SAFARI)];
    const old = new Date(Date.now() - 601_000);
    for (const { id } of await person.sessions())
      await app.storage.update(Sessions.entity, { authenticatedAt: old }, { id });
    const before = browser.token;
    const confirm = await browser.get('/account/password');
    expect(confirm).toMatchObject({ status: 200, heading: 'Confirm your password' });
    expect(await browser.post('/account/password', { password: 'battery staple' })).toMatchObject({
      heading: 'Confirm your password',
    });
    const next = '/account/password';
    const wrong = await browser.post('/account/confirm', { next, password: 'wrong horse' });
    expect(wrong).toMatchObject({ status: 400, heading: 'Confirm your password' });
    expect(wrong.field('password').problem).toBe('The password is wrong.');
    expect(browser.token).toBe(before);

    const change = await browser.post('/account/confirm', { next, password: person.password });
    expect(change).toMatchObject({ status: 200, path: next, heading: 'Change your password' });
    expect(browser.token).not.toBe(before);
    expect((await browser.post(next, { password: 'short' })).field('password').problem).toContain('8 to 1000');
    expect((await browser.post(next, { password: 'battery staple' })).text).toContain('Your password has been changed');
    expect((await phone.get('/account/devices')).text).toContain(ENDED);
    expect((await browser.get('/account/devices')).heading).toBe('Your devices');
  });

  it('show what happened, and name the device while it is known', async () => {
    const person = await Person.new(app);
    const browser = await Browser.of(person);
    const { id } = await app.sessions.create({ userId: person.id, data: { userAgent: HOSTILE } });
    await browser.post(`/account/devices/${id}/sign-out`);
    const { text } = await browser.get('/account/activity');
    expect(text).toMatch(/What Device When Signed out <img .* Signed in Firefox on Linux/);
    await app.sessions.delete({ id });
    expect((await browser.get('/account/activity')).text).toContain('Deleted a session that is gone just now');
  });

  it('count sessions for everyone to see, and those that come and go day by day', async () => {
    const browser = new Browser(app);
    const day = dayOf(new Date());
    const before = await countsOf(day);
    const gone = await app.sessions.create({ userId: bob.id });
    await app.storage.update(Sessions.entity, { expiresAt: new Date(0) }, { id: gone.id });
    // A count that took long is kept for a while.
    await expect.poll(async () => (await browser.get('/statistics')).text).toMatch(/Statistics .* Expired [1-9]/);
    expect(await app.sessions.deleteExpired()).toBeGreaterThan(0);
    const { html } = await browser.get('/statistics');
    const after = await countsOf(day);
    expect(after.created).toBe(before.created + 1);
    expect(after.pruned).toBeGreaterThan(before.pruned);
    expect(html).toContain(`${day}: ${after.created} created, ${after.pruned} deleted`);
  });

  describe('whatever they answer', () => {
    it.each([
      ['GET', '/sign-in'],
      ['GET', '/sign-up'],
      ['GET', '/sign-up/sent'],
      ['GET', '/sign-up/finish'],
      ['GET', '/dev/outbox'],
      ['GET', '/statistics'],
      ['GET', '/account/devices'],
      ['GET', '/account/keys'],
      ['GET', '/account/activity'],
      ['GET', '/account/password'],
      ['GET', '/account/confirm'],
      ['GET', '/nowhere'],
      ['POST', '/account/password'],
      ['POST', '/nowhere'],
    ])(
      'no cache keeps it, no frame has it, and nothing in it is run: %s %s (ASVS 3.4.3 to 3.4.6)',
      async (method, path) => {
        const browser = Browser.as(ada);
        const { headers, html } = method === 'GET' ? await browser.get(path) : await browser.post(path);
        expect(headers).toMatchObject({
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'same-origin',
          'content-type': 'text/html; charset=utf-8',
        });
        expect(headers['content-security-policy']).toContain("default-src 'none'");
        expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
        expect(headers['content-security-policy']).not.toContain('unsafe');
        expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?! src="\/assets\/)/);
        expect(html).toContain('<html lang="en">');
        expect(html).toContain('<a class="skip" href="#main">');
        expect(html).not.toContain(browser.token);
      },
    );

    it('is a page for who asks for pages, and JSON for who asks the API', async () => {
      const nowhere = await new Browser(app).get('/nowhere');
      expect(nowhere).toMatchObject({ status: 404, heading: 'Page not found' });
      expect(await app.send('GET', '/api/nowhere')).toMatchObject({ status: 404, body: { statusCode: 404 } });
      expect(await app.send('GET', '/api/me')).toMatchObject({ status: 401, body: { statusCode: 401 } });
    });

    it('is a page for two cookies of one name, and for a form that is too large', async () => {
      const browser = Browser.as(ada);
      const two = await browser.get('/account/keys', { Cookie: `__Host-session=a; __Host-session=b` });
      expect(two).toMatchObject({ status: 400, heading: 'Invalid request' });
      const large = await browser.post('/account/keys', { name: 'x'.repeat(200_000) });
      expect(large).toMatchObject({ status: 413, heading: 'Request too large' });
    });
  });

  it('have a style sheet, a script and an icon that browsers keep until they change', async () => {
    const { html } = await new Browser(app).get('/sign-in');
    const urls = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]*)"/g)].map(([, url]) => url!);
    for (const url of new Set(urls)) {
      const { status, headers } = await new Browser(app).get(url);
      expect(status).toBe(200);
      expect(headers['content-type']).toMatch(/^(?:text\/css|text\/javascript|image\/svg\+xml)/);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    }
    expect(new Set(urls).size).toBe(3);
    expect(await new Browser(app).get('/assets/app.ts')).toMatchObject({
      status: 404,
      headers: { 'cache-control': 'no-store' },
    });
  });

  /** What the database has counted of a day, once the page has waited for it. */
  async function countsOf(day: string): Promise<DailyCount> {
    await new Browser(app).get('/statistics');
    const { rows } = await app.storage.execute(app.storage.prepare('all', DailyCount, { where: { day } }));
    return rows![0] as unknown as DailyCount;
  }
});

it.each(SERVERS)('say so when %s is down, and sign nobody out', async (name) => {
  const database = await createDatabase(name);
  const { hostname, port } = new URL(database.url);
  const proxy = new TcpProxy({ host: hostname, port: Number(port) });
  await proxy.open();
  const app = await DemoApp.start(proxy.through(database.url));
  const ada = await Person.new(app);
  const browser = Browser.as(ada);
  const token = browser.token;
  await proxy.cut();
  const down = { status: 503, heading: 'Back in a moment' };
  expect(await browser.get('/account/devices')).toMatchObject(down);
  expect(await new Browser(app).post('/sign-in', ada.credentials)).toMatchObject(down);
  expect(browser.token).toBe(token);
  await proxy.open();
  expect(await browser.get('/account/devices')).toMatchObject({ status: 200 });
  await app.close();
  await proxy.cut();
  await database.drop();
});

it.skipIf(inject('postgresUrl') === undefined)('wait for no count that takes long', async () => {
  const { app, close } = await start('postgres');
  const ada = await Person.new(app);
  const browser = new Browser(app);
  const lock = app.dataSource.createQueryRunner();
  await lock.startTransaction();
  await lock.query('LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE');
  for (let look = 0; look < 5; look++) {
    expect((await browser.get('/statistics')).text).toContain('still being counted. Reload');
  }
  await lock.rollbackTransaction();
  await lock.release();
  await expect.poll(async () => (await browser.get('/statistics')).text).toContain('Total 1 Valid 1');
  await ada.session();
  expect((await browser.get('/statistics')).text).toContain('Total 1 Valid 1');
  await close();
});

type Running = { app: DemoApp; close: () => Promise<void> };

async function start(name: TestDatabase['name'] | 'memory'): Promise<Running> {
  const database = name === 'memory' ? { url: 'memory:', drop: async () => {} } : await createDatabase(name);
  const app = await DemoApp.start(database.url);
  const close = async (): Promise<void> => {
    await app.close();
    await database.drop();
  };
  return { app, close };
}

async function projectOf(browser: Browser): Promise<string> {
  const { links } = await browser.get('/account/keys');
  return links.find((link) => /^\/account\/keys\/./.test(link))!;
}

/** The key that a page shows. */
function keyOn({ html }: Shown): string {
  return /<code id="key">(key_\w+)<\/code>/.exec(html)![1]!;
}

/** Sessions of a user that have ended, each a second older than the one before. */
function rowsOf(userId: string, count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, i) => {
    const at = new Date(Date.now() - (count - i) * 1000);
    return {
      id: uuidv7(),
      userId,
      authTokenDigest: digestOf(uuidv7()),
      data: { userAgent: `device ${i}` },
      createdAt: at,
      updatedAt: at,
      authenticatedAt: at,
      expiresAt: new Date(Date.now() + 86_400_000),
      revokedAt: at,
      revokedReason: 'signed_out',
    };
  });
}
