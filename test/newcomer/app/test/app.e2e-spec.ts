import { randomUUID } from 'node:crypto';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { AppModule } from '../src/app.module.js';
import { setUp } from '../src/set-up.js';
import { UsersService } from '../src/users/users.service.js';

interface Device {
  id: string;
  isCurrent: boolean;
  lastUsedUserAgent: string;
}

interface Credentials {
  authorization: string;
  'user-agent': string;
}

const password = 'correct horse';

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('the application on %s', (_platform, adapter) => {
  let app: INestApplication;
  let email: string;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication(adapter());
    setUp(app);
    await app.listen(0);
  });
  afterAll(() => app.close());

  beforeEach(async () => {
    email = `${randomUUID()}@example.org`;
    await http().post('/v1/auth/sign-up').send({ email, password, name: 'Ann' }).expect(201);
  });

  const http = () => request(app.getHttpServer());

  async function logIn(secret = password, agent = 'phone'): Promise<Credentials> {
    const login = http().post('/v1/auth/login').set('user-agent', agent).send({ email, password: secret });
    const { token } = (await login.expect(200)).body as { token: string };
    return { authorization: `Bearer ${token}`, 'user-agent': agent };
  }

  async function devices(headers: Credentials): Promise<Device[]> {
    return (await http().get('/v1/devices').set(headers).expect(200)).body as Device[];
  }

  it('asks every route for a session, unless it is public', async () => {
    await http().get('/v1/account/me').expect(401).expect('WWW-Authenticate', 'Bearer realm="api"');
    await http()
      .get('/health')
      .expect(200)
      .expect(({ body }) => expect(body.info.database.status).toBe('up'));
    await http().get('/account/me').expect(404);
  });

  it('logs in by a bearer token, and out', async () => {
    const headers = await logIn();
    await http()
      .get('/v1/account/me')
      .set(headers)
      .expect(200)
      .expect(({ body }) => expect(body).toEqual({ id: expect.any(String), email, name: 'Ann', role: 'member' }));
    await http().post('/v1/auth/logout').set(headers).expect(204);
    await http().get('/v1/account/me').set(headers).expect(401);
  });

  it('logs in by a cookie, which pages of other sites cannot use, and out', async () => {
    const login = await http().post('/v1/auth/browser-login').send({ email, password }).expect(200);
    expect(login.body).toMatchObject({ userId: expect.any(String), expiresAt: expect.any(String), isExpired: false });
    expect(login.body).not.toHaveProperty('authToken');
    const cookie = login.headers['set-cookie'][0].split(';')[0];
    expect(cookie).toMatch(/^__Host-session=/);
    await http().get('/v1/account/me').set('cookie', cookie).expect(200);
    const logout = () => http().post('/v1/auth/logout').set('cookie', cookie);
    await logout().set('sec-fetch-site', 'cross-site').expect(403);
    await logout()
      .set('sec-fetch-site', 'same-origin')
      .expect(204)
      .expect('Set-Cookie', /Max-Age=0|Expires=Thu, 01 Jan 1970/);
    await http().get('/v1/account/me').set('cookie', cookie).expect(401);
  });

  it('refuses a body that is not as its DTO has it', async () => {
    await http().post('/v1/auth/login').send({ email: 'nobody', password }).expect(400);
    await http().post('/v1/auth/login').send({ email, password, admin: true }).expect(400);
    await http().post('/v1/auth/login').expect(400);
    await http().post('/v1/auth/login').send({ email, password: 'wrong horse' }).expect(401);
  });

  it('opens a route to a role', async () => {
    const headers = await logIn();
    await http().get('/v1/admin/users').set(headers).expect(403);
    await app.get(UsersService).promote(email);
    const { body } = await http().get('/v1/admin/users').set(headers).expect(200);
    const sessions = [expect.objectContaining({ userId: expect.any(String) })];
    expect(body).toContainEqual(expect.objectContaining({ email, role: 'admin', sessions }));
    expect(JSON.stringify(body)).not.toMatch(/digest|passwordHash/i);
  });

  it('notes which session has changed something', async () => {
    await app.get(UsersService).promote(email);
    const headers = await logIn();
    const [current] = await devices(headers);
    await http().post('/v1/keys').set(headers).send({ name: 'ci', scopes: [] }).expect(201);
    await http()
      .get('/v1/admin/audit')
      .set(headers)
      .expect(({ body }) => expect(body.at(-1)).toMatchObject({ action: 'POST /v1/keys', sessionId: current.id }));
  });

  it('gives API keys with scopes, and takes them back', async () => {
    const headers = await logIn();
    const made = await http()
      .post('/v1/keys')
      .set(headers)
      .send({ name: 'ci', scopes: ['reports:read'] });
    const { id, key } = made.body as { id: string; key: string };
    expect(key).toMatch(/^key_/);
    const byKey = { 'x-api-key': key };
    await http().get('/v1/reports').set(byKey).expect(200, { readBy: 'ci' });
    await http().post('/v1/reports').set(byKey).expect(403);
    await http().get('/v1/reports').set(headers).expect(401);
    await http()
      .get('/v1/account/me')
      .set({ authorization: `Bearer ${key}` })
      .expect(401);
    await http().delete(`/v1/keys/${id}`).set(headers).expect(200);
    await http().get('/v1/reports').set(byKey).expect(401);
  });

  it('lists the devices of a user, and signs one out', async () => {
    const phone = await logIn();
    const laptop = await logIn(password, 'laptop');
    const listed = await devices(laptop);
    expect(listed.map(({ isCurrent }) => isCurrent)).toEqual([true, false]);
    expect(listed.map(({ lastUsedUserAgent }) => lastUsedUserAgent)).toEqual(['laptop', 'phone']);
    await http().delete(`/v1/devices/${listed[1].id}`).set(laptop).expect(204);
    await http().get('/v1/account/me').set(phone).expect(401);
    expect(await devices(laptop)).toHaveLength(1);
  });

  it('ends the other sessions of a user with the old password', async () => {
    const phone = await logIn();
    const laptop = await logIn();
    const change = http().post('/v1/account/password').set(laptop).send({ password: 'battery staple' });
    await change.expect(200, { ended: 1 });
    await http().get('/v1/account/me').set(phone).expect(401);
    await http().get('/v1/account/me').set(laptop).expect(200);
    await http().post('/v1/auth/login').send({ email, password }).expect(401);
    await logIn('battery staple');
  });

  it('describes itself', async () => {
    const { body } = await http().get('/docs-json').expect(200);
    expect(Object.keys(body.components.securitySchemes)).toEqual(
      expect.arrayContaining(['sessions.bearer', 'sessions.cookie', 'api_keys.x-api-key']),
    );
    expect(body.paths['/v1/account/me'].get.security).not.toEqual([]);
    expect(body.paths['/health'].get.security ?? []).toEqual([]);
  });
});
