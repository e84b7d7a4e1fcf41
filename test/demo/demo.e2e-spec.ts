import { createHook } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, describeDatabases, describeStorages, type TestDatabase } from '../support/databases.js';
import { ApiKeys } from '../../apps/demo/src/projects/api-keys.js';
import { User } from '../../apps/demo/src/users/user.entity.js';
import { type Answer, DemoApp } from './support/demo-app.js';
import { Person } from './support/person.js';

describeStorages('the demo', (name) => {
  let database: Pick<TestDatabase, 'url' | 'drop'>;
  let app: DemoApp;
  let ada: Person;
  let bob: Person;
  beforeAll(async () => {
    database = name === 'memory' ? { url: 'memory:', drop: async () => {} } : await createDatabase(name);
    app = await DemoApp.start(database.url);
    [ada, bob] = await Promise.all([Person.new(app), Person.new(app)]);
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  describe('signing up', () => {
    it('refuses a second user with the same e-mail address, in whatever letter case', async () => {
      const body = { ...ada.credentials, email: ada.email.toUpperCase() };
      expect(await app.send('POST', '/api/sign-up', { body })).toMatchObject({ status: 409 });
    });

    it('lets one of several at the same moment have the address', async () => {
      const body = { email: `${randomUUID()}@example.com`, password: 'correct horse' };
      const answers = await Promise.all([1, 2, 3].map(() => app.send('POST', '/api/sign-up', { body })));
      expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['201', '409', '409']);
    });

    it('answers with no password and no hash', async () => {
      const body = { email: `${randomUUID()}@example.com`, password: 'correct horse' };
      const answer = await app.send('POST', '/api/sign-up', { body });
      expect(answer.body).toEqual({ id: expect.any(String), email: body.email });
    });
  });

  describe('logging in', () => {
    it('gives a token that no cache keeps (ASVS 14.3.2)', async () => {
      const answer = await app.send('POST', '/api/login', { body: ada.credentials });
      expect(answer).toMatchObject({ status: 200, body: { token: expect.stringMatching(/^[\w-]{64}$/) } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });

    it('answers an unknown user as it answers a wrong password', async () => {
      const unknown = await attempt({ email: `${randomUUID()}@example.com`, password: 'wrong horse' });
      const wrong = await attempt({ email: ada.email, password: 'wrong horse' });
      expect(unknown).toMatchObject({ status: 401, body: wrong.body });
      expect(essential(unknown)).toEqual(essential(wrong));
      expect(wrong.headers.get('www-authenticate')).toBe('Bearer realm="api"');
    });

    it('hashes for an unknown user as for a known one', async () => {
      expect(await scryptsDuring(() => attempt({ email: ada.email, password: 'wrong horse' }))).toBe(1);
      expect(await scryptsDuring(() => attempt({ email: 'nobody@example.com', password: 'wrong horse' }))).toBe(1);
    });

    it('ends the session whose token is sent along (ASVS 7.2.4)', async () => {
      const before = await ada.login();
      const answer = await app.send('POST', '/api/login', { token: before, body: ada.credentials });
      const { token } = answer.body as { token: string };
      expect(token).not.toBe(before);
      expect(await statusOf(before)).toBe(401);
      expect(await statusOf(token)).toBe(200);
    });

    it('ends nothing where the password is wrong', async () => {
      const token = await ada.login();
      await app.send('POST', '/api/login', { token, body: { ...ada.credentials, password: 'wrong horse' } });
      expect(await statusOf(token)).toBe(200);
    });

    const attempt = (body: object): Promise<Answer> => app.send('POST', '/api/login', { body });
  });

  describe('GET /api/me', () => {
    it('takes the token as a bearer token and in X-Auth-Token (PARITY 1.8)', async () => {
      const byBearer = await ada.get('/api/me');
      const byHeader = await app.send('GET', '/api/me', { headers: { 'X-Auth-Token': ada.token } });
      expect(byBearer).toMatchObject({ status: 200, body: { email: ada.email, session: { isCurrent: true } } });
      expect(byHeader.body).toEqual(byBearer.body);
    });

    it('refuses both at once (RFC 6750, 3.1)', async () => {
      const answer = await ada.send('GET', '/api/me', { headers: { 'X-Auth-Token': ada.token } });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_request"');
    });

    it('asks who sends no token for one, without an error code', async () => {
      const answer = await app.send('GET', '/api/me');
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api"');
    });

    it('takes no token from the address (ASVS 14.2.1)', async () => {
      expect(await app.send('GET', `/api/me?token=${ada.token}&access_token=${ada.token}`)).toMatchObject({
        status: 401,
      });
    });
  });

  it('refuses the token from the request after logging out (ASVS 7.4.1)', async () => {
    const token = await ada.login();
    expect(await app.send('POST', '/api/logout', { token })).toMatchObject({ status: 204 });
    expect(await statusOf(token)).toBe(401);
  });

  describe('the own sessions', () => {
    it('are listed with their devices, the current one marked, and without a token (ASVS 7.5.2)', async () => {
      const token = await ada.login('phone');
      const sessions = await ada.sessions();
      expect(await ada.sessionOn('phone')).toMatchObject({ isCurrent: false, isExpired: false });
      expect(sessions.filter(({ isCurrent }) => isCurrent)).toMatchObject([
        { device: { userAgent: 'laptop', ip: '127.0.0.1' } },
      ]);
      expect(JSON.stringify(sessions)).not.toContain(token);
    });

    it('end and stay in the list, marked, when they are expired (ASVS 7.4.1)', async () => {
      const token = await ada.login('tablet');
      const { id } = await ada.sessionOn('tablet');
      expect(await ada.post(`/api/account/sessions/${id}/expire`)).toMatchObject({ status: 204 });
      expect(await statusOf(token)).toBe(401);
      expect(await ada.sessionOn('tablet')).toMatchObject({ isExpired: true });
    });

    it('can be expired again, and deleted once', async () => {
      await ada.login('watch');
      const { id } = await ada.sessionOn('watch');
      await ada.post(`/api/account/sessions/${id}/expire`);
      expect(await ada.post(`/api/account/sessions/${id}/expire`)).toMatchObject({ status: 204 });
      expect(await ada.delete(`/api/account/sessions/${id}`)).toMatchObject({ status: 204 });
      expect(await ada.delete(`/api/account/sessions/${id}`)).toMatchObject({ status: 404 });
    });

    it('end and are gone when they are deleted', async () => {
      const token = await ada.login('console');
      const { id } = await ada.sessionOn('console');
      expect(await ada.delete(`/api/account/sessions/${id}`)).toMatchObject({ status: 204 });
      expect(await statusOf(token)).toBe(401);
      expect((await ada.sessions()).map((session) => session.id)).not.toContain(id);
    });

    it('are the own ones: those of another are neither listed, nor expired, nor deleted', async () => {
      const { id } = (await bob.sessions())[0]!;
      expect((await ada.sessions()).map((session) => session.id)).not.toContain(id);
      expect(await ada.post(`/api/account/sessions/${id}/expire`)).toMatchObject({ status: 404 });
      expect(await ada.delete(`/api/account/sessions/${id}`)).toMatchObject({ status: 404 });
      expect(await statusOf(bob.token)).toBe(200);
    });

    it.each(UNKNOWN_IDS)('are not found by %s', async (_, id) => {
      expect(await ada.post(`/api/account/sessions/${id}/expire`)).toMatchObject({ status: 404 });
      expect(await ada.delete(`/api/account/sessions/${id}`)).toMatchObject({ status: 404 });
    });

    it('all end at once, and only the own ones (ASVS 7.4.3)', async () => {
      const person = await Person.new(app);
      const tokens = [person.token, await person.login(), await person.login()];
      expect(await person.post('/api/account/sign-out-everywhere')).toMatchObject({
        status: 200,
        body: { signedOut: 3 },
      });
      expect(await Promise.all(tokens.map(statusOf))).toEqual([401, 401, 401]);
      expect(await statusOf(ada.token)).toBe(200);
    });

    it('all others end at once (ASVS 7.4.3)', async () => {
      const person = await Person.new(app);
      const others = [await person.login(), await person.login()];
      expect((await person.post('/api/account/sign-out-others')).body).toEqual({ signedOut: 2 });
      expect(await Promise.all([person.token, ...others].map(statusOf))).toEqual([200, 401, 401]);
    });

    // Foreign keys, which memory does not enforce.
    if (name !== 'memory') {
      it('go with their owner', async () => {
        const person = await Person.new(app);
        await person.key(await person.project());
        await app.storage.delete(User, { email: person.email });
        expect(await statusOf(person.token)).toBe(401);
      });
    }
  });

  describe('keys', () => {
    let project: string;
    beforeEach(async () => {
      project = await ada.project();
    });

    it('open the route for machines until they are revoked (ASVS 7.4.1)', async () => {
      const { id, key } = await ada.key(project);
      expect(await machine(key)).toMatchObject({ status: 200, body: { id: project, name: 'Engine', key: { id } } });
      expect(await ada.delete(`/api/projects/${project}/keys/${id}`)).toMatchObject({ status: 204 });
      expect(await machine(key)).toMatchObject({ status: 401 });
    });

    it('are shown once, in a response that no cache keeps (ASVS 14.3.2)', async () => {
      const created = await ada.post(`/api/projects/${project}/keys`, { name: 'build server' });
      const { id, key } = created.body as { id: string; key: string };
      expect(created.headers.get('cache-control')).toBe('no-store');
      expect(key).toMatch(/^key_/);
      const listed = await ada.get(`/api/projects/${project}/keys`);
      expect(listed.body).toEqual([{ id, name: 'build server', createdAt: expect.any(String) }]);
    });

    it('never expire', async () => {
      const { id } = await ada.key(project);
      const { rows } = await app.storage.execute(app.storage.prepare('all', ApiKeys.entity));
      expect(rows).toContainEqual(expect.objectContaining({ id, expiresAt: null }));
    });

    it('open no route for people, nor does a session open one for machines (ASVS 7.2.2)', async () => {
      const { key } = await ada.key(project);
      const asPerson = await app.send('GET', '/api/me', { token: key });
      const asMachine = await machine(ada.token);
      for (const answer of [asPerson, asMachine]) {
        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api", error="invalid_token"');
      }
    });

    it('are those of the own projects: another user finds none', async () => {
      const { id, key } = await ada.key(project);
      expect(await bob.get(`/api/projects/${project}/keys`)).toMatchObject({ status: 404 });
      expect(await bob.post(`/api/projects/${project}/keys`, { name: 'mine' })).toMatchObject({ status: 404 });
      expect(await bob.delete(`/api/projects/${project}/keys/${id}`)).toMatchObject({ status: 404 });
      expect(await bob.delete(`/api/projects/${await bob.project()}/keys/${id}`)).toMatchObject({ status: 404 });
      expect(await machine(key)).toMatchObject({ status: 200 });
    });

    it.each(UNKNOWN_IDS)('are not found by %s', async (_, id) => {
      expect(await ada.get(`/api/projects/${id}/keys`)).toMatchObject({ status: 404 });
      expect(await ada.delete(`/api/projects/${project}/keys/${id}`)).toMatchObject({ status: 404 });
    });

    it('belong to projects that only their owner lists', async () => {
      expect((await ada.get('/api/projects')).body).toContainEqual({ id: project, name: 'Engine' });
      expect((await bob.get('/api/projects')).body).not.toContainEqual({ id: project, name: 'Engine' });
    });

    const machine = (token: string): Promise<Answer> => app.send('GET', '/api/project', { token });
  });

  it('counts sessions for everyone to see', async () => {
    const before = await statistics();
    const token = await bob.login('clock');
    expect(await statistics()).toEqual({ ...before, total: before.total + 1, valid: before.valid + 1 });
    const { id } = await bob.sessionOn('clock');
    await bob.post(`/api/account/sessions/${id}/expire`);
    expect(await statistics()).toEqual({ ...before, total: before.total + 1, expired: before.expired + 1 });
    expect(await statusOf(token)).toBe(401);
  });

  describe('a body that does not fit', () => {
    const EMAIL = 'someone@example.com';
    const PASSWORD = 'correct horse';
    it.each([
      ['no e-mail address', { password: PASSWORD }, ['email: is required']],
      ['nothing', {}, ['email: is required', 'password: is required']],
      ['a number', { email: 1, password: PASSWORD }, ['email: must be text']],
      ['null', { email: EMAIL, password: null }, ['password: must be text']],
      ['a list', { email: EMAIL, password: [PASSWORD] }, ['password: must be text']],
      ['an object', { email: { $ne: '' }, password: PASSWORD }, ['email: must be text']],
      ['no address', { email: 'someone', password: PASSWORD }, ['email: must be an e-mail address']],
      ['two addresses', { email: `${EMAIL},a@b.c`, password: PASSWORD }, ['email: must be an e-mail address']],
      ['a short password', { email: EMAIL, password: 'short' }, ['password: must have 8 to 1000 characters']],
      [
        'huge text',
        { email: `${'e'.repeat(20_000)}@e.e`, password: 'p'.repeat(20_000) },
        ['email: must have 1 to 254 characters', 'password: must have 8 to 1000 characters'],
      ],
      [
        'a NUL character',
        { email: `some\0one@example.com`, password: `${PASSWORD}\0` },
        ['email: must not contain control characters', 'password: must not contain control characters'],
      ],
      [
        'a lone surrogate',
        { email: EMAIL, password: `${PASSWORD}\uD800` },
        ['password: must not contain control characters'],
      ],
      ['a list as a whole', [EMAIL, PASSWORD], ['the body must be a JSON object with email, password']],
    ])('is refused with the field named: %s', async (_, body, message) => {
      expect(await app.send('POST', '/api/sign-up', { body })).toMatchObject({ status: 400, body: { message } });
    });

    it.each([
      ['no JSON', '{"email":', 'application/json', 400],
      ['null', 'null', 'application/json', 400],
      ['no body', '', 'application/json', 400],
      ['another type', 'email=a', 'text/plain', 400],
      ['form fields', 'email=a&password=b', 'application/x-www-form-urlencoded', 400],
      ['more than a hundred kilobytes', JSON.stringify({ email: 'e'.repeat(200_000) }), 'application/json', 413],
    ])('is refused: %s', async (_, body, type, status) => {
      const answer = await app.send('POST', '/api/sign-up', { body, headers: { 'content-type': type } });
      expect(answer).toMatchObject({ status });
    });

    it.each([
      ['blank', ' \u00A0', 'name: must not be blank'],
      ['too long', 'n'.repeat(101), 'name: must have 1 to 100 characters'],
      ['with a NUL character', 'a\0b', 'name: must not contain control characters'],
    ])('is refused: a name that is %s', async (_, text, message) => {
      const project = await ada.project();
      for (const path of ['/api/projects', `/api/projects/${project}/keys`]) {
        expect(await ada.post(path, { name: text })).toMatchObject({ status: 400, body: { message: [message] } });
      }
    });

    it('never ends in a 5xx, whatever it holds', async () => {
      const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 120 }), fc.jsonValue({ maxDepth: 2 }));
      const body = fc.oneof(fc.record({ name: value }), fc.jsonValue());
      const property = fc.asyncProperty(body, async (sent) => {
        const { status } = await ada.post('/api/projects', JSON.stringify(sent));
        expect([201, 400]).toContain(status);
      });
      await fc.assert(property, { numRuns: 200 });
    });
  });

  it('keeps names as they were given, in any script', async () => {
    const given = 'Maschine №1 – 机器 🤖';
    const { key } = await ada.key(await ada.project(given), given);
    const answer = await app.send('GET', '/api/project', { token: key });
    expect(answer.body).toMatchObject({ name: given, key: { name: given } });
  });

  if (name !== 'memory') {
    it('has migrated to what its entities say', async () => {
      const { upQueries } = await app.dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    });
  }

  async function statusOf(token: string): Promise<number> {
    return (await app.send('GET', '/api/me', { token })).status;
  }

  async function statistics(): Promise<{ total: number; valid: number; expired: number }> {
    return (await app.send('GET', '/api/statistics')).body as { total: number; valid: number; expired: number };
  }
});

describeDatabases('the demo, started again', (name) => {
  let database: TestDatabase;
  let app: DemoApp;
  beforeAll(async () => {
    database = await createDatabase(name);
  });
  beforeEach(async () => {
    app = await DemoApp.start(database.url);
    return () => app.close();
  });
  afterAll(() => database.drop());

  it('knows its users and their sessions', async () => {
    const { token } = await Person.new(app);
    await restart();
    expect(await app.send('GET', '/api/me', { token })).toMatchObject({ status: 200 });
  });

  it('deletes at its start what has expired, and says so (PARITY 1.6)', async () => {
    const person = await Person.new(app);
    await person.login('phone');
    const { id } = await person.sessionOn('phone');
    await person.post(`/api/account/sessions/${id}/expire`);
    await restart();
    await app.logs.next(/^Deleted 1 expired rows of "sessions" in \d+ ms/);
    expect((await app.send('GET', '/api/statistics')).body).toMatchObject({ expired: 0 });
  });

  it('takes how long sessions live from the environment (PARITY 1.4)', async () => {
    await restart({ DEMO_SESSION_TTL: '2h' });
    const person = await Person.new(app);
    const [session] = await person.sessions();
    expect(Date.parse(session!.expiresAt!) - Date.parse(session!.createdAt)).toBe(2 * 3_600_000);
  });

  async function restart(settings?: Readonly<Record<string, string>>): Promise<void> {
    await app.close();
    app = await DemoApp.start(database.url, settings);
  }
});

const UNKNOWN_IDS = [
  ['an id that nothing has', randomUUID()],
  ['text that is no UUID', 'x'],
  ['a number', '1'],
  ['a NUL character', '%00'],
  ['more text than an id has', 'a'.repeat(5000)],
  ['SQL', `'%20OR%20'1'='1`],
] as const;

/** The headers of an answer that do not depend on the moment. */
function essential({ headers }: Answer): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name !== 'date'));
}

/** How many passwords are hashed while `fn` runs. */
async function scryptsDuring(fn: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === 'SCRYPTREQUEST') count += 1;
    },
  }).enable();
  try {
    await fn();
  } finally {
    hook.disable();
  }
  return count;
}
