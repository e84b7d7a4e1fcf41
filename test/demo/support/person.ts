import { randomUUID } from 'node:crypto';
import type { Answer, DemoApp, Sent } from './demo-app.js';

/** A session as the demo lists it. */
export interface Listed {
  readonly id: string;
  readonly device: unknown;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly isCurrent: boolean;
  readonly isExpired: boolean;
}

/** A user of the demo, with the token of the last login. */
export class Person {
  readonly email = `${randomUUID()}@example.com`;
  readonly password = 'correct horse';
  token = '';

  private constructor(readonly app: DemoApp) {}

  /** Signed up and logged in. */
  static async new(app: DemoApp): Promise<Person> {
    const person = new Person(app);
    await app.send('POST', '/api/sign-up', { body: person.credentials });
    await person.login();
    return person;
  }

  get credentials(): { email: string; password: string } {
    return { email: this.email, password: this.password };
  }

  /** The token of a further session; that of the first login stays the person's own. */
  async login(userAgent = 'laptop'): Promise<string> {
    const { body } = await this.app.send('POST', '/api/login', {
      body: this.credentials,
      headers: { 'user-agent': userAgent },
    });
    const { token } = body as { token: string };
    this.token ||= token;
    return token;
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

  /** The session that was begun with this user agent. */
  async sessionOn(userAgent: string): Promise<Listed> {
    const found = (await this.sessions()).find(
      ({ device }) => (device as { userAgent: unknown }).userAgent === userAgent,
    );
    if (!found) throw new Error(`There is no session of "${userAgent}".`);
    return found;
  }

  /** A new project. */
  async project(name = 'Engine'): Promise<string> {
    return ((await this.post('/api/projects', { name })).body as { id: string }).id;
  }

  /** A new key of a project. */
  async key(project: string, name = 'build server'): Promise<{ id: string; key: string }> {
    return (await this.post(`/api/projects/${project}/keys`, { name })).body as { id: string; key: string };
  }
}
