import { createHook } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, describeDatabases, describeStorages, type TestDatabase } from '../support/databases.js';
import { Activity } from '../../apps/demo/src/activity/activity.entity.js';
import { ApiKeys } from '../../apps/demo/src/projects/api-keys.js';
import { Sessions } from '../../apps/demo/src/sessions/sessions.js';
import { User } from '../../apps/demo/src/users/user.entity.js';
import { type Answer, DemoApp } from './support/demo-app.js';
import { Person } from './support/person.js';
import { digestOf } from '../support/digest.js';

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
  beforeEach(() => Promise.all([ada, bob].map((person) => person.deleteOtherSessions())));
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  describe('signing up', () => {
    const password = 'correct horse';
    const signUp = (email: string): Promise<Answer> => app.send('POST', '/api/sign-up', { body: { email } });
    const finish = (token: string): Promise<Answer> =>
      app.send('POST', '/api/sign-up/finish', { body: { token, password } });
    /** The token of the link that is in the latest mail. */
    const sentToken = (): string => /^\/sign-up\/finish\?token=([\w-]{64})$/.exec(app.mail.link)![1]!;

    it('begins by a link, which makes the account and signs in, once', async () => {
      const email = `${randomUUID()}@example.com`;
      await signUp(email);
      expect(app.mail).toMatchObject({ to: email, subject: 'Finish signing up' });
      const answer = await finish(sentToken());
      expect(answer).toMatchObject({ status: 201, body: { token: expect.stringMatching(/^[\w-]{64}$/) } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const { token } = answer.body as { token: string };
      expect(await app.send('GET', '/api/me', { token })).toMatchObject({ status: 200, body: { email } });
      expect(await app.send('POST', '/api/login', { body: { email, password } })).toMatchObject({ status: 200 });
      expect(await finish(sentToken())).toMatchObject({ status: 403 });
    });

    it('tells only the mail that an address has an account, in whatever letter case, and no time does', async () => {
      const [known, unknown] = [ada.email.toUpperCase(), `${randomUUID()}@example.com`];
      const queries: string[][] = [];
      const answers: Answer[] = [];
      for (const email of [known, unknown]) {
        const before = app.queries.statements.length;
        answers.push(await signUp(email));
        queries.push(app.queries.statements.slice(before).filter((statement) => /sign_ups|users/.test(statement)));
        expect(app.mail.subject).toBe(email === known ? 'You already have an account' : 'Finish signing up');
      }
      expect(answers.map(({ status }) => status)).toEqual([202, 202]);
      expect(answers[0]!.body).toEqual(answers[1]!.body);
      expect(essential(answers[0]!)).toEqual(essential(answers[1]!));
      expect(queries[0]).toEqual(queries[1]);
      expect(await scryptsDuring(() => signUp(known))).toBe(0);
      expect(await scryptsDuring(() => signUp(unknown))).toBe(0);
    });

    it('lets one of several links for an address make its account', async () => {
      const email = `${randomUUID()}@example.com`;
      const tokens: string[] = [];
      for (let i = 0; i < 3; i++) {
        await signUp(email);
        tokens.push(sentToken());
      }
      const answers = await Promise.all([...tokens, ...tokens].map(finish));
      expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['201', ...Array<string>(5).fill('403')]);
    });

    it('hashes nothing for who has no link', async () => {
      expect(await scryptsDuring(() => finish('x'.repeat(64)))).toBe(0);
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
      const before = await ada.session('kiosk');
      const answer = await app.send('POST', '/api/login', { token: before, body: ada.credentials });
      const { token } = answer.body as { token: string };
      expect(token).not.toBe(before);
      expect(await statusOf(before)).toBe(401);
      expect(await statusOf(token)).toBe(200);
      expect(await ada.sessionOn('kiosk')).toMatchObject({ status: 'revoked', reason: 'superseded' });
    });

    it('ends nothing where the password is wrong', async () => {
      const token = await ada.session();
      await app.send('POST', '/api/login', { token, body: { ...ada.credentials, password: 'wrong horse' } });
      expect(await statusOf(token)).toBe(200);
    });

    it('leaves a user ten sessions, without the least recently used one (ASVS 7.1.2)', async () => {
      const person = await Person.new(app);
      const [hourAgo, minuteAgo] = [secondsAgo(3600), secondsAgo(60)];
      const older = [...rowsOf(person.id, 1, hourAgo), ...rowsOf(person.id, 8, minuteAgo)];
      await app.storage.insertAll(Sessions.entity, older);
      await person.login('phone');
      const sessions = await person.sessions();
      const revoked = { status: 'revoked', reason: 'session_limit', createdAt: hourAgo.toISOString() };
      expect(sessions.filter(({ status }) => status === 'valid')).toHaveLength(10);
      expect(sessions.filter(({ status }) => status !== 'valid')).toMatchObject([revoked]);
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

    it('takes no token from the address (ASVS 14.2.1)', async () => {
      expect(await app.send('GET', `/api/me?token=${ada.token}&access_token=${ada.token}`)).toMatchObject({
        status: 401,
      });
    });
  });

  it.each([
    ['GET', '/api/me'],
    ['POST', '/api/logout'],
    ['POST', '/api/session/rotate'],
    ['GET', '/api/account/sessions'],
    ['DELETE', '/api/account/sessions/x'],
    ['POST', '/api/account/sign-out-others'],
    ['POST', '/api/account/sign-out-everywhere'],
    ['POST', '/api/account/reauthenticate'],
    ['POST', '/api/account/password'],
    ['GET', '/api/account/activity'],
    ['GET', '/api/projects'],
    ['POST', '/api/projects'],
    ['GET', '/api/projects/x/keys'],
    ['POST', '/api/projects/x/keys'],
    ['POST', '/api/projects/x/keys/x/rotate'],
    ['DELETE', '/api/projects/x/keys/x'],
    ['GET', '/api/project'],
    ['PATCH', '/api/project'],
  ])('asks who sends no token for one, without an error code (RFC 6750, 3.1): %s %s', async (method, path) => {
    const answer = await app.send(method, path);
    expect(answer).toMatchObject({ status: 401, body: { errorCode: 'ERR_SESSION_REQUIRED' } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api"');
  });

  it('refuses the token from the request after logging out (ASVS 7.4.1)', async () => {
    const token = await ada.session('browser');
    expect(await app.send('POST', '/api/logout', { token })).toMatchObject({ status: 204 });
    expect(await statusOf(token)).toBe(401);
    expect(await ada.sessionOn('browser')).toMatchObject({ status: 'revoked', reason: 'signed_out' });
  });

  it('refuses a session thirty days after its beginning, however much it was used (ASVS 7.3.2)', async () => {
    const token = await ada.session('relic');
    const { id } = await ada.sessionOn('relic');
    await backdate(id, { authenticatedAt: 30 * 86_400 - 60 });
    expect(await statusOf(token)).toBe(200);
    await backdate(id, { authenticatedAt: 30 * 86_400 });
    expect(await statusOf(token)).toBe(401);
    expect(await ada.sessionOn('relic')).toMatchObject({ status: 'expired' });
  });

  describe('rotating the token', () => {
    const rotate = (token: string): Promise<Answer> => app.send('POST', '/api/session/rotate', { token });

    it('gives one that no cache keeps, and honours the one before for requests under way (ASVS 14.3.2)', async () => {
      const before = await ada.session();
      const answer = await rotate(before);
      const { token } = answer.body as { token: string };
      expect(answer).toMatchObject({ status: 200, body: { token: expect.stringMatching(/^[\w-]{64}$/) } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(token).not.toBe(before);
      expect(await Promise.all([before, token].map(statusOf))).toEqual([200, 200]);
    });

    it('gives it to one of several requests at once, and tells the others that one was first', async () => {
      const before = await ada.session();
      const answers = await Promise.all([1, 2, 3].map(() => rotate(before)));
      expect(answers).toMatchObject([{ status: 200 }, { status: 200 }, { status: 200 }]);
      const tokens = answers.map(({ body }) => (body as { token: string | null }).token);
      expect(tokens.filter((token) => token === null)).toHaveLength(2);
      expect(await statusOf(tokens.find((token) => token !== null)!)).toBe(200);
    });

    it('ends the session where the one before is used after half a minute', async () => {
      const before = await ada.session('stolen');
      const { token } = (await rotate(before)).body as { token: string };
      await backdate((await ada.sessionOn('stolen')).id, { rotatedAt: 29 });
      expect(await statusOf(before)).toBe(200);
      await backdate((await ada.sessionOn('stolen')).id, { rotatedAt: 30 });
      expect(await statusOf(before)).toBe(401);
      expect(await statusOf(token)).toBe(401);
      expect(await ada.sessionOn('stolen')).toMatchObject({ status: 'revoked', reason: 'token_reuse' });
    });
  });

  describe('proving again who one is', () => {
    const reauthenticate = (token: string, password: string): Promise<Answer> =>
      app.send('POST', '/api/account/reauthenticate', { token, body: { password } });

    it('gives a new token that no cache keeps, and ends the one before (ASVS 7.2.4, 14.3.2)', async () => {
      const before = await ada.session();
      const answer = await reauthenticate(before, ada.password);
      expect(answer).toMatchObject({ status: 200, body: { expiresAt: expect.any(String) } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await statusOf((answer.body as { token: string }).token)).toBe(200);
      expect(await statusOf(before)).toBe(401);
    });

    it('is refused by another password, and the token stays good', async () => {
      const token = await ada.session();
      const answer = await reauthenticate(token, 'wrong horse');
      expect(answer).toMatchObject({ status: 403, body: { message: 'The password is wrong.' } });
      expect(JSON.stringify(answer.body)).not.toContain('token');
      expect(await statusOf(token)).toBe(200);
    });

    it.each([
      ['DELETE', '/api/account/sessions/:id'],
      ['POST', '/api/account/sign-out-others'],
      ['POST', '/api/account/sign-out-everywhere'],
    ] as const)('is needed for %s %s then, as for a new password (ASVS 7.5.2)', async (method, path) => {
      const person = await Person.new(app);
      const other = await person.session('phone');
      const { id } = await person.sessionOn('laptop');
      await backdate(id, { authenticatedAt: 601 });
      const refused = await app.send(method, path.replace(':id', id), { token: person.token });
      expect(refused).toMatchObject({ status: 401, body: { errorCode: 'ERR_SESSION_NOT_FRESH' } });
      expect(await statusOf(other)).toBe(200);
    });

    it('is needed for a new password when it was more than ten minutes ago (ASVS 7.5.1, 7.5.3)', async () => {
      const person = await Person.new(app);
      const change = (token: string): Promise<Answer> =>
        app.send('POST', '/api/account/password', { token, body: { password: 'battery staple' } });
      await backdate((await person.sessionOn('laptop')).id, { authenticatedAt: 601 });
      const refused = await change(person.token);
      expect(refused).toMatchObject({ status: 401, body: { errorCode: 'ERR_SESSION_NOT_FRESH' } });
      expect(refused.headers.get('www-authenticate')).toBe(
        'Bearer realm="api", error="insufficient_user_authentication", max_age="600"',
      );
      expect((await person.activity())[0]).toMatchObject({ type: 'refused', reason: 'not_fresh' });
      const { body } = await reauthenticate(person.token, person.password);
      expect(await change((body as { token: string }).token)).toMatchObject({ status: 200 });
    });
  });

  describe('a new password', () => {
    it('ends all other sessions of the user, and the old one is no longer good (ASVS 7.4.3)', async () => {
      const person = await Person.new(app);
      const other = await person.session('phone');
      const answer = await person.post('/api/account/password', { password: 'battery staple' });
      expect(answer).toMatchObject({ status: 200, body: { signedOut: 1 } });
      expect(await Promise.all([person.token, other, ada.token].map(statusOf))).toEqual([200, 401, 200]);
      expect(await person.sessionOn('phone')).toMatchObject({ status: 'revoked', reason: 'credentials_changed' });
      const { credentials } = person;
      expect(await app.send('POST', '/api/login', { body: credentials })).toMatchObject({ status: 401 });
      const changed = { ...credentials, password: 'battery staple' };
      expect(await app.send('POST', '/api/login', { body: changed })).toMatchObject({ status: 200 });
    });

    it('that is none is refused, and changes nothing', async () => {
      const answer = await ada.post('/api/account/password', { password: 'short' });
      expect(answer).toMatchObject({ status: 400, body: { message: ['password: must have 8 to 1000 characters'] } });
      expect(await statusOf(await ada.login())).toBe(200);
    });
  });

  describe('the own sessions', () => {
    it('are listed with their devices, the current one marked, and without a token (ASVS 7.5.2)', async () => {
      const token = await ada.login('phone');
      const sessions = await ada.sessions();
      const valid = { status: 'valid', reason: null };
      const lastUse = { at: expect.any(String), ip: '127.0.0.1', userAgent: 'phone' };
      expect(await ada.sessionOn('phone')).toMatchObject({ ...valid, isCurrent: false, lastUse });
      expect(sessions.filter(({ isCurrent }) => isCurrent)).toMatchObject([{ ...valid, device: 'laptop' }]);
      expect(JSON.stringify(sessions)).not.toContain(token);
    });

    it('are listed newest first, a hundred at the most', async () => {
      const person = await Person.new(app);
      const revoked = { revokedAt: new Date(), revokedReason: 'signed_out' };
      const older = [1, 2, 3, 4].flatMap((age) => rowsOf(person.id, 25, secondsAgo(age), revoked));
      await app.storage.insertAll(Sessions.entity, older);
      const times = (await person.sessions()).map(({ createdAt }) => createdAt);
      expect(times).toHaveLength(100);
      expect(times).toEqual(times.toSorted().toReversed());
    });

    it('end when they are revoked, once, and stay in the list with the reason (ASVS 7.4.1, 7.5.2)', async () => {
      const token = await ada.session('tablet');
      const { id } = await ada.sessionOn('tablet');
      expect(await ada.delete(`/api/account/sessions/${id}`)).toMatchObject({ status: 204 });
      expect(await statusOf(token)).toBe(401);
      expect(await ada.sessionOn('tablet')).toMatchObject({ status: 'revoked', reason: 'signed_out' });
      expect(await ada.delete(`/api/account/sessions/${id}`)).toMatchObject({
        status: 404,
        body: { message: 'You have no such session, or it has ended.' },
      });
    });

    it('are the own ones: those of another are neither listed nor revoked (ASVS 8.2.2)', async () => {
      const { id } = (await bob.sessions())[0]!;
      expect((await ada.sessions()).map((session) => session.id)).not.toContain(id);
      expect(await ada.delete(`/api/account/sessions/${id}`)).toMatchObject({ status: 404 });
      expect(await statusOf(bob.token)).toBe(200);
    });

    it.each(UNKNOWN_IDS)('are not found by %s', async (_, id) => {
      expect(await ada.delete(`/api/account/sessions/${id}`)).toMatchObject({ status: 404 });
    });

    it('all others end at once, or all of them, and only the own ones (ASVS 7.4.2, 7.4.3)', async () => {
      const person = await Person.new(app);
      const others = [await person.session(), await person.session()];
      const signedOutOthers = await person.post('/api/account/sign-out-others');
      expect(signedOutOthers).toMatchObject({ status: 200, body: { signedOut: 2 } });
      expect(await Promise.all([person.token, ...others].map(statusOf))).toEqual([200, 401, 401]);
      const further = await person.session();
      const signedOut = await person.post('/api/account/sign-out-everywhere');
      expect(signedOut).toMatchObject({ status: 200, body: { signedOut: 2 } });
      expect(await Promise.all([person.token, further, ada.token].map(statusOf))).toEqual([401, 401, 200]);
    });

    // Foreign keys, which memory does not enforce.
    if (name !== 'memory') {
      it('go with their owner, and so does what is known of them', async () => {
        const person = await Person.new(app);
        await person.key(await person.project());
        expect(await person.activity()).toHaveLength(1);
        await app.storage.delete(User, { email: person.email });
        expect(await statusOf(person.token)).toBe(401);
        expect(await activityRows(person.id)).toEqual([]);
      });
    }
  });

  describe('the activity of a user', () => {
    it('is what happened to the own sessions, newest first, with the reasons (ASVS 7.5.2, 8.2.2)', async () => {
      const token = await bob.session('robot');
      const { id } = await bob.sessionOn('robot');
      const { token: rotated } = (await app.send('POST', '/api/session/rotate', { token })).body as { token: string };
      await bob.delete(`/api/account/sessions/${id}`);
      for (let again = 0; again < 3; again++) expect(await statusOf(rotated)).toBe(401);
      const activity = await bob.activity();
      expect(activity.filter(({ sessionId }) => sessionId === id)).toEqual([
        { type: 'refused', reason: 'revoked', sessionId: id, at: expect.any(String) },
        { type: 'revoked', reason: 'signed_out', sessionId: id, at: expect.any(String) },
        { type: 'rotated', reason: null, sessionId: id, at: expect.any(String) },
        { type: 'created', reason: null, sessionId: id, at: expect.any(String) },
      ]);
      expect((await ada.activity()).map(({ sessionId }) => sessionId)).not.toContain(id);
      expect(JSON.stringify(activity)).not.toContain(rotated);
    });

    it('has the latest fifty, and no more is kept', async () => {
      const person = await Person.new(app);
      for (let i = 0; i < 27; i++) {
        const { id } = await app.sessions.create({ userId: person.id });
        await app.sessions.revoke({ id });
      }
      const activity = await person.activity();
      expect(activity).toHaveLength(50);
      expect(activity.at(-1)).toMatchObject({ type: 'created' });
      expect(await activityRows(person.id)).toHaveLength(50);
    });
  });

  describe('keys', () => {
    let project: string;
    beforeEach(async () => {
      project = await ada.project();
    });

    it('open the route for machines until they are revoked, once, and stay in the list (ASVS 7.4.1)', async () => {
      const { id, key } = await ada.key(project);
      expect(await machine(key)).toMatchObject({ status: 200, body: { id: project, name: 'Engine', key: { id } } });
      expect(await ada.delete(`/api/projects/${project}/keys/${id}`)).toMatchObject({ status: 204 });
      expect(await machine(key)).toMatchObject({ status: 401 });
      expect(await ada.keys(project)).toMatchObject([{ id, status: 'revoked', reason: 'administrative' }]);
      const again = await ada.delete(`/api/projects/${project}/keys/${id}`);
      expect(again).toMatchObject({
        status: 404,
        body: { message: 'The project has no such key, or it was revoked.' },
      });
    });

    it('are shown once, in a response that no cache keeps (ASVS 14.3.2)', async () => {
      const created = await ada.post(`/api/projects/${project}/keys`, { name: 'build server' });
      const { key, ...listed } = created.body as { key: string };
      expect(created.headers.get('cache-control')).toBe('no-store');
      expect(key).toMatch(/^key_/);
      expect(listed).toEqual({
        id: expect.any(String),
        name: 'build server',
        scopes: ['project:read'],
        status: 'valid',
        reason: null,
        createdAt: expect.any(String),
        lastUsedAt: null,
      });
      expect(await ada.keys(project)).toEqual([listed]);
    });

    it('may read the project unless they are given other scopes, and are told what they lack (RFC 6750, 3.1)', async () => {
      const reader = await ada.key(project);
      const writer = await ada.key(project, { scopes: ['project:write'] });
      const both = await ada.key(project, { scopes: ['project:read', 'project:write', 'project:read'] });
      expect(await machine(both.key)).toMatchObject({ body: { key: { scopes: ['project:read', 'project:write'] } } });
      expect(await rename(writer.key, 'Motor')).toMatchObject({ status: 200, body: { id: project, name: 'Motor' } });
      expect(await machine(reader.key)).toMatchObject({ status: 200, body: { name: 'Motor' } });
      for (const [answer, scope] of [
        [await rename(reader.key, 'Turbine'), 'project:write'],
        [await machine(writer.key), 'project:read'],
      ] as const) {
        expect(answer).toMatchObject({ status: 403, body: { errorCode: 'ERR_SESSION_SCOPE' } });
        expect(answer.headers.get('www-authenticate')).toBe(
          `Bearer realm="api", error="insufficient_scope", scope="${scope}"`,
        );
      }
      expect(await machine(both.key)).toMatchObject({ body: { name: 'Motor' } });
    });

    it.each([
      [
        'unknown ones',
        ['project:read', 'project:delete', 'x'],
        ['scopes.1: must be one of', 'scopes.2: must be one of'],
      ],
      ['a wildcard', ['*'], ['scopes.0: must be one of']],
      ['none', [], ['scopes: must be a list of']],
      ['null', null, ['scopes: must be a list of']],
      ['text', 'project:read', ['scopes: must be a list of']],
      ['a number', [1], ['scopes.0: must be one of']],
      ['lists in lists', [[['project:read']]], ['scopes.0: must be one of']],
    ])('are refused with scopes that there are not: %s', async (_, scopes, rules) => {
      const answer = await ada.post(`/api/projects/${project}/keys`, { name: 'build server', scopes });
      const message = rules.map((rule) => `${rule} project:read, project:write`);
      expect(answer).toMatchObject({ status: 400, body: { message } });
      expect(await ada.keys(project)).toEqual([]);
    });

    it('can be rotated: the new one is shown once, and the one before works for a day (ASVS 14.3.2)', async () => {
      const { id, key } = await ada.key(project);
      const answer = await ada.post(`/api/projects/${project}/keys/${id}/rotate`);
      const { key: rotated } = answer.body as { key: string };
      expect(answer).toMatchObject({ status: 200, body: { id, key: expect.stringMatching(/^key_/) } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(JSON.stringify(await ada.keys(project))).not.toContain(rotated);
      await backdate(id, { rotatedAt: 86_399 }, ApiKeys);
      expect(await Promise.all([key, rotated].map(machine))).toMatchObject([{ status: 200 }, { status: 200 }]);
      await backdate(id, { rotatedAt: 86_400 }, ApiKeys);
      expect(await machine(key)).toMatchObject({ status: 401 });
      expect(await machine(rotated)).toMatchObject({ status: 401 });
      expect(await ada.keys(project)).toMatchObject([{ id, status: 'revoked', reason: 'token_reuse' }]);
      expect(await ada.post(`/api/projects/${project}/keys/${id}/rotate`)).toMatchObject({ status: 404 });
    });

    it('are rotated by at least one of several requests at once, and no answer has a key that is none', async () => {
      const { id } = await ada.key(project);
      const path = `/api/projects/${project}/keys/${id}/rotate`;
      const answers = await Promise.all([1, 2, 3].map(() => ada.post(path)));
      const rotated = answers.filter(({ status }) => status === 200);
      expect(rotated.length).toBeGreaterThan(0);
      for (const { body } of rotated) expect(body).toMatchObject({ key: expect.stringMatching(/^key_/) });
      for (const { status } of answers) expect([200, 409]).toContain(status);
    });

    it('never expire', async () => {
      const { id } = await ada.key(project);
      const { rows } = await app.storage.execute(app.storage.prepare('all', ApiKeys.entity));
      expect(rows).toContainEqual(expect.objectContaining({ id, expiresAt: null }));
    });

    it('open no route for people, nor does a session open one for machines (ASVS 7.2.2)', async () => {
      const { key } = await ada.key(project);
      const asPerson = await app.send('GET', '/api/me', { token: key });
      for (const answer of [asPerson, await machine(ada.token), await rename(ada.token, 'Motor')]) {
        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api", error="invalid_token"');
      }
    });

    it('are those of the own projects: another user finds none (ASVS 8.2.2)', async () => {
      const { id, key } = await ada.key(project);
      const others = await bob.project();
      expect(await bob.get(`/api/projects/${project}/keys`)).toMatchObject({ status: 404 });
      expect(await bob.post(`/api/projects/${project}/keys`, { name: 'mine' })).toMatchObject({ status: 404 });
      for (const path of [`/api/projects/${project}/keys/${id}`, `/api/projects/${others}/keys/${id}`]) {
        expect(await bob.delete(path)).toMatchObject({ status: 404 });
        expect(await bob.post(`${path}/rotate`)).toMatchObject({ status: 404 });
      }
      expect(await machine(key)).toMatchObject({ status: 200 });
    });

    it.each(UNKNOWN_IDS)('are not found by %s', async (_, id) => {
      expect(await ada.get(`/api/projects/${id}/keys`)).toMatchObject({ status: 404 });
      expect(await ada.post(`/api/projects/${project}/keys/${id}/rotate`)).toMatchObject({ status: 404 });
      expect(await ada.delete(`/api/projects/${project}/keys/${id}`)).toMatchObject({ status: 404 });
    });

    it('belong to projects that only their owner lists', async () => {
      expect((await ada.get('/api/projects')).body).toContainEqual({ id: project, name: 'Engine' });
      expect((await bob.get('/api/projects')).body).not.toContainEqual({ id: project, name: 'Engine' });
    });

    const machine = (token: string): Promise<Answer> => app.send('GET', '/api/project', { token });
    const rename = (token: string, to: string): Promise<Answer> =>
      app.send('PATCH', '/api/project', { token, body: { name: to } });
  });

  it('counts sessions for everyone to see', async () => {
    const before = await statistics();
    const token = await bob.session('clock');
    await bob.session('watch');
    const { total, valid, expired, revoked } = before;
    expect(await statistics()).toEqual({ ...before, total: total + 2, valid: valid + 2 });
    await backdate((await bob.sessionOn('clock')).id, { expiresAt: 1 });
    await bob.delete(`/api/account/sessions/${(await bob.sessionOn('watch')).id}`);
    expect(await statistics()).toEqual({ total: total + 2, valid, expired: expired + 1, revoked: revoked + 1 });
    expect(await bob.sessionOn('clock')).toMatchObject({ status: 'expired', reason: null });
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
      [
        'huge text',
        { email: `${'e'.repeat(20_000)}@e.e`, password: 'p'.repeat(20_000) },
        ['email: must have 1 to 254 characters', 'password: must have 1 to 1000 characters'],
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
      expect(await app.send('POST', '/api/login', { body })).toMatchObject({ status: 400, body: { message } });
    });

    it('is refused with a password that is too short', async () => {
      const body = { token: 'x', password: 'short' };
      const message = ['password: must have 8 to 1000 characters'];
      expect(await app.send('POST', '/api/sign-up/finish', { body })).toMatchObject({ status: 400, body: { message } });
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

    it('is refused with a short answer, however much of it does not fit', async () => {
      const project = await ada.project();
      const scopes = Array.from({ length: 20_000 }, () => 1);
      const { status, body } = await ada.post(`/api/projects/${project}/keys`, { name: 'build server', scopes });
      expect(status).toBe(400);
      expect(JSON.stringify(body).length).toBeLessThan(2000);
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
    const { key } = await ada.key(await ada.project(given), { name: given });
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

  async function statistics(): Promise<Statistics> {
    return (await app.send('GET', '/api/statistics')).body as Statistics;
  }

  /** Makes moments of a session's life so many seconds ago. */
  async function backdate(
    id: string,
    moments: Readonly<Record<string, number>>,
    { entity }: Pick<typeof Sessions, 'entity'> | Pick<typeof ApiKeys, 'entity'> = Sessions,
  ): Promise<void> {
    const changes = Object.entries(moments).map(([field, seconds]) => [field, secondsAgo(seconds)]);
    await app.storage.update(entity, Object.fromEntries(changes) as Record<string, Date>, { id });
  }

  async function activityRows(userId: string): Promise<unknown[]> {
    const { rows } = await app.storage.execute(app.storage.prepare('all', Activity, { where: { userId } }));
    return rows!;
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

  it('knows its users, their sessions, and where these were last used', async () => {
    const person = await Person.new(app);
    const project = await person.project();
    const { key } = await person.key(project);
    await app.send('GET', '/api/me', { token: person.token, headers: { 'user-agent': 'laptop/2' } });
    await app.send('GET', '/api/project', { token: key });
    person.app = await restart();
    const use = { at: expect.any(String), ip: '127.0.0.1', userAgent: expect.any(String) };
    expect(await person.sessions()).toMatchObject([{ device: 'laptop', isCurrent: true, lastUse: use }]);
    expect(await person.keys(project)).toMatchObject([{ lastUsedAt: expect.any(String) }]);
  });

  it('knows what happened until the very moment of its end', async () => {
    const person = await Person.new(app);
    await app.storage.insertAll(Sessions.entity, rowsOf(person.id, 40, secondsAgo(60)));
    await person.post('/api/account/sign-out-others');
    person.app = await restart();
    const types = (await person.activity()).map(({ type }) => type);
    expect(types).toEqual([...Array.from({ length: 40 }, () => 'revoked'), 'created']);
  });

  it('serves on where what happened cannot be written, and says so', async () => {
    await app.dataSource.query('ALTER TABLE activity RENAME TO elsewhere');
    const person = await Person.new(app);
    expect(await person.get('/api/me')).toMatchObject({ status: 200 });
    expect(await app.logs.next(/^"created" of session [\w-]+ cannot be written: /)).toMatchObject({ level: 'error' });
    await app.dataSource.query('ALTER TABLE elsewhere RENAME TO activity');
    await person.session('phone');
    expect(await person.activity()).toMatchObject([{ type: 'created' }]);
  });

  it('deletes at its start what has expired, and says so (PARITY 1.6)', async () => {
    const person = await Person.new(app);
    const { id } = await app.sessions.create({ userId: person.id });
    await app.sessions.expire({ id });
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

  async function restart(settings?: Readonly<Record<string, string>>): Promise<DemoApp> {
    await app.close();
    return (app = await DemoApp.start(database.url, settings));
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

interface Statistics {
  readonly total: number;
  readonly valid: number;
  readonly expired: number;
  readonly revoked: number;
}

function secondsAgo(seconds: number): Date {
  return new Date(Date.now() - seconds * 1000);
}

/** Sessions of a user as they are stored, begun at a time. */
function rowsOf(userId: string, count: number, createdAt: Date, further: object = {}): Record<string, unknown>[] {
  return Array.from({ length: count }, () => ({
    id: uuidv7(),
    userId,
    data: {},
    authTokenDigest: digestOf(randomUUID()),
    expiresAt: new Date(Date.now() + 86_400_000),
    createdAt,
    updatedAt: createdAt,
    ...further,
  }));
}

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
