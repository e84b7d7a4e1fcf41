import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, describeStorages, type TestDatabase } from '../support/databases.js';
import { Browser } from './support/browser.js';
import { type Answer, DemoApp } from './support/demo-app.js';
import { Person } from './support/person.js';

const ROUNDS = 4;
const LOG_INS = 8;
const HOME = '/account/devices';
const NEW = 'battery staple';

/** Log-ins with the old password, as many before the change is asked for as the round says, and the rest after it. */
async function changeAmongLogIns(app: DemoApp, person: Person, round: number): Promise<Answer[]> {
  const logIn = (): Promise<Answer> => app.send('POST', '/api/login', { body: person.credentials });
  const before = Array.from({ length: round * 2 }, logIn);
  const changed = person.post('/api/account/password', { password: NEW });
  const after = Array.from({ length: LOG_INS - before.length }, logIn);
  expect(await changed).toMatchObject({ status: 200 });
  return Promise.all([...before, ...after]);
}

/** The statuses of requests with what is left of log-ins: a token, or nothing. */
async function statusesOf(app: DemoApp, answers: readonly Answer[]): Promise<number[]> {
  const tokens = answers.flatMap(({ body }) => (body as { token?: string }).token ?? []);
  return Promise.all(tokens.map(async (token) => (await app.send('GET', '/api/me', { token })).status));
}

describeStorages('a new password', (name) => {
  let database: TestDatabase | undefined;
  let app: DemoApp;
  beforeAll(async () => {
    database = name === 'memory' ? undefined : await createDatabase(name);
    app = await DemoApp.start(database?.url ?? 'memory:');
  });
  afterAll(async () => {
    await app.close();
    await database?.drop();
  });

  it('leaves no session of a log-in with the old one that is under way (ASVS 7.4.3)', async () => {
    const changeAmong = async (round: number): Promise<void> => {
      const person = await Person.new(app);
      const answers = await changeAmongLogIns(app, person, round);
      expect([200, 401]).toEqual(expect.arrayContaining(answers.map(({ status }) => status)));
      expect(await statusesOf(app, answers)).not.toContain(200);
      const valid = (await person.sessions()).filter(({ status }) => status === 'valid');
      expect(valid).toMatchObject([{ isCurrent: true }]);
    };
    // Each waits for as long as clocks may be apart.
    await Promise.all(Array.from({ length: ROUNDS }, (_, round) => changeAmong(round)));
  });

  it('is good at once, for the page that signs in as well', async () => {
    const person = await Person.new(app);
    await person.post('/api/account/password', { password: NEW });
    const page = await new Browser(app).post('/sign-in', { email: person.email, password: NEW });
    expect(page).toMatchObject({ status: 200, path: HOME });
  });
});
