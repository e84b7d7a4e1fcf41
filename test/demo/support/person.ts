import { randomUUID } from 'node:crypto';
import { Not } from 'typeorm';
import { hashPassword } from '../../../apps/demo/src/users/password.js';
import { User } from '../../../apps/demo/src/users/user.entity.js';
import type { Answer, DemoApp, Sent } from './demo-app.js';

/** A session as the demo lists it. */
export interface Listed {
  readonly id: string;
  readonly isCurrent: boolean;
  readonly status: 'valid' | 'expired' | 'revoked';
  readonly reason: string | null;
  readonly device: unknown;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUse: { readonly at: string; readonly ip: string; readonly userAgent: string } | null;
}

/** An entry of the log of activity. */
export interface Noted {
  readonly at: string;
  readonly type: string;
  readonly reason: string | null;
  readonly sessionId: string;
}

/** A user of the demo, with the token of a session. */
export class Person {
  readonly email = `${randomUUID()}@example.com`;
  readonly password = 'correct horse';
  readonly id = randomUUID();
  token = '';
  #sessionId = '';

  /** @param app the demo that requests go to; another one where it was started again */
  private constructor(public app: DemoApp) {}

  /** With an account, and a session of a laptop. */
  static async new(app: DemoApp): Promise<Person> {
    const person = new Person(app);
    const passwordHash = await hashPassword(person.password);
    await app.storage.insert(User, { id: person.id, email: person.email, passwordHash });
    const session = await person.#begin('laptop');
    person.token = session.authToken;
    person.#sessionId = session.id;
    return person;
  }

  get credentials(): { email: string; password: string } {
    return { email: this.email, password: this.password };
  }

  /** The token of a further session, by the route. */
  async login(userAgent = 'laptop'): Promise<string> {
    const { body } = await this.app.send('POST', '/api/login', {
      body: this.credentials,
      headers: { 'user-agent': userAgent },
    });
    return (body as { token: string }).token;
  }

  /** The token of a further session, without the time that hashing a password takes. */
  async session(userAgent = 'laptop'): Promise<string> {
    return (await this.#begin(userAgent)).authToken;
  }

  #begin(userAgent: string) {
    return this.app.sessions.create({ userId: this.id, data: { userAgent } });
  }

  /** Makes room for more sessions than a person may have. */
  async deleteOtherSessions(): Promise<void> {
    await this.app.sessions.deleteAll({ userId: this.id, id: Not(this.#sessionId), status: 'all' });
  }

  async send(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    return this.app.send(method, path, { token: this.token, ...sent });
  }

  async get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  async post(path: string, body?: unknown): Promise<Answer> {
    return this.send('POST', path, { body });
  }

  async delete(path: string): Promise<Answer> {
    return this.send('DELETE', path);
  }

  async sessions(): Promise<Listed[]> {
    return (await this.get('/api/account/sessions')).body as Listed[];
  }

  /** The newest session of this device. */
  async sessionOn(device: string): Promise<Listed> {
    const found = (await this.sessions()).find((session) => session.device === device);
    if (!found) throw new Error(`There is no session of "${device}".`);
    return found;
  }

  async activity(): Promise<Noted[]> {
    return (await this.get('/api/account/activity')).body as Noted[];
  }

  /** A new project. */
  async project(name = 'Engine'): Promise<string> {
    return ((await this.post('/api/projects', { name })).body as { id: string }).id;
  }

  /** A new key of a project. */
  async key(
    project: string,
    { name = 'build server', scopes }: { name?: string; scopes?: readonly string[] } = {},
  ): Promise<{ id: string; key: string }> {
    const { body } = await this.post(`/api/projects/${project}/keys`, { name, scopes });
    return body as { id: string; key: string };
  }

  /** The keys of a project, as the demo lists them. */
  async keys(
    project: string,
  ): Promise<{ id: string; status: string; reason: string | null; lastUsedAt: string | null }[]> {
    return (await this.get(`/api/projects/${project}/keys`)).body as never;
  }
}
